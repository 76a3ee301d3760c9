import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openCatalog } from '../../../src/app/catalog.ts';
import { graceOf, settingsOf } from '../../../src/app/from-settings.ts';
import { metadataFolder } from '../../../src/app/state-folder.ts';
import { tidy } from '../../../src/app/tidy.ts';
import { toBase } from '../../../src/catalog/import.ts';
import { metadataFiles } from '../../../src/catalog/metadata-files.ts';
import { refreshRepository } from '../../../src/catalog/refresh-repository.ts';
import { lockFile } from '../../../src/lib/lock-file.ts';
import { files } from '../../../src/repositories/files.ts';
import { readFileUrl } from '../../support/read-file-url.ts';
import { makeFilesRepository } from '../../support/repositories.ts';
import { filesOf, find, keep, stores } from '../../support/stores.ts';

const { aStore, newFolder } = stores();
const HOUR = 3_600_000;
const CONTENT: Readonly<Record<string, string>> = { 'a.iso': 'A', 'b.iso': 'BB', 'c.iso': 'CCC' };

/** A catalog that follows a repository, and copies of its files, at a time of our own. */
const aSite = async () => {
  let at = Date.now();
  const now = () => at;
  const settings = settingsOf({ stateDir: newFolder() });
  const catalog = await openCatalog(settings);
  const store = aStore({ folder: settings.saveDir, now });
  const repository = newFolder();
  const kept = metadataFiles(metadataFolder(settings), { now });
  /** The repository has these files from now on. */
  const revise = async (...names: string[]) => {
    rmSync(repository, { recursive: true });
    mkdirSync(repository);
    makeFilesRepository(repository, Object.fromEntries(names.map((name) => [name, CONTENT[name] ?? ''])));
    await refreshRepository({
      ...{ catalog: catalog.embedded, format: files, formatName: 'files', base: toBase(repository), prefix: '/p' },
      ...{ importer: catalog.embedded.importers.ensure({}).id, read: readFileUrl, follows: true, kept, now },
      grace: graceOf(settings),
    });
  };
  const entryOf = (name: string) => catalog.embedded.entries.find(`/p/${name}`)[0];
  const save = async (name: string) => {
    const entry = entryOf(name);
    if (entry) await keep(store, entry, Buffer.from(CONTENT[name] ?? ''));
  };
  return {
    ...{ catalog, store, revise, save, settings },
    later: (hours: number) => {
      at += hours * HOUR;
    },
    look: () => tidy({ settings, catalog, store, now }),
    /** What a client would get that has read the metadata of some revision. */
    served: async (name: string) => {
      const entry = entryOf(name);
      return entry === undefined ? 'not in the catalog' : ((await find(store, entry)) && 'copy') || 'no copy';
    },
    copies: () => filesOf(settings.saveDir).length,
    metadata: () => readdirSync(metadataFolder(settings)).length,
  };
};

describe('what nothing refers to', () => {
  it('goes after a revision without it, once no client can have the metadata of the one before', async () => {
    const { revise, save, later, look, served, copies, metadata, catalog } = await aSite();
    await revise('a.iso', 'b.iso');
    await save('a.iso');
    await save('b.iso');
    later(1);
    await revise('b.iso', 'c.iso');
    expect([copies(), metadata()]).toEqual([2, 2]);
    for (const hours of [1, 1, 21]) {
      later(hours);
      expect(await look()).toEqual({ copies: 0, bytes: 0 });
      expect(await served('a.iso')).toBe('copy');
    }
    // Clients of the revision before have it from caches, with the manifest.
    expect(metadata()).toBe(1);
    later(2);
    expect(await look()).toEqual({ copies: 0, bytes: 0 });
    expect(await served('a.iso')).toBe('not in the catalog');
    later(24);
    expect(await look()).toEqual({ copies: 1, bytes: 1 });
    expect([copies(), await served('b.iso'), metadata()]).toEqual([1, 'copy', 1]);
    await catalog.close();
  });

  it('goes after `catalog remove`, unless it comes again or is asked for', async () => {
    const { revise, save, later, look, served, copies, catalog, store } = await aSite();
    await revise('a.iso', 'b.iso', 'c.iso');
    for (const name of ['a.iso', 'b.iso', 'c.iso']) await save(name);
    later(48);
    const [b] = catalog.embedded.entries.find('/p/b.iso');
    catalog.embedded.entries.removeBelow('/p');
    expect(await look()).toEqual({ copies: 0, bytes: 0 });
    later(0.5);
    await revise('a.iso');
    expect(await look()).toEqual({ copies: 0, bytes: 0 });
    // Content that is served without being listed.
    expect(b && (await find(store, b))).toBeDefined();
    later(0.5);
    expect(await look()).toEqual({ copies: 1, bytes: 3 });
    expect([copies(), await served('a.iso')]).toEqual([2, 'copy']);
    later(24);
    expect(await look()).toEqual({ copies: 1, bytes: 2 });
    expect(copies()).toBe(1);
    await catalog.close();
  });

  it('stays while another process makes copies in the folder, whose catalog is unknown', async () => {
    const { revise, save, later, look, copies, catalog, settings } = await aSite();
    await revise('a.iso');
    await save('a.iso');
    catalog.embedded.entries.removeBelow('/p');
    later(48);
    await look();
    later(1);
    const other = join(settings.saveDir, '.partial', 'other');
    mkdirSync(other);
    const lock = lockFile(`${other}.lock`);
    expect([await look(), copies()]).toEqual([{ copies: 0, bytes: 0 }, 1]);
    lock?.release();
    expect([await look(), copies()]).toEqual([{ copies: 1, bytes: 1 }, 0]);
    await catalog.close();
  });

  it('stays if the entries cannot be read', async () => {
    const { revise, save, later, look, copies, catalog } = await aSite();
    await revise('a.iso');
    await save('a.iso');
    later(48);
    await catalog.close();
    for (const _ of [1, 2]) {
      await expect(look()).rejects.toThrow();
      later(1);
    }
    expect(copies()).toBe(1);
  });
});
