import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { exportBundle } from '../../../../src/app/bundle/export.ts';
import { graceOf, settingsOf } from '../../../../src/app/from-settings.ts';
import { openOwnCatalog } from '../../../../src/app/own-catalog.ts';
import { metadataFolder } from '../../../../src/app/state-folder.ts';
import { toBase } from '../../../../src/catalog/import.ts';
import { metadataFiles } from '../../../../src/catalog/metadata-files.ts';
import { refreshRepository } from '../../../../src/catalog/refresh-repository.ts';
import { files } from '../../../../src/repositories/files.ts';
import { readFileUrl } from '../../../support/read-file-url.ts';
import { makeFilesRepository } from '../../../support/repositories.ts';
import { keep, stores } from '../../../support/stores.ts';

const { aStore, newFolder } = stores();

/** A catalog of the streamer's own with one followed repository, and a copy of each of its files. */
const aSite = async () => {
  const settings = settingsOf({ stateDir: newFolder() });
  const own = await openOwnCatalog(settings);
  const repository = newFolder();
  const { id: importer } = await own.importers.ensure({});
  const publish = async (contents: Readonly<Record<string, string>>) => {
    makeFilesRepository(repository, contents);
    await refreshRepository({
      ...{ catalog: own, format: files, formatName: 'files', base: toBase(repository), prefix: '/p', importer },
      ...{ read: readFileUrl, follows: true, kept: metadataFiles(metadataFolder(settings)), grace: graceOf(settings) },
    });
    for (const [name, content] of Object.entries(contents)) {
      const [entry] = await own.entries.find(`/p/${name}`);
      if (entry) await keep(aStore({ folder: settings.saveDir }), entry, Buffer.from(content));
    }
  };
  return { settings, own, publish };
};

describe('An export', () => {
  it('is refused, and leaves no file, if a revision is published while it reads the one before', async () => {
    const { settings, own, publish } = await aSite();
    await publish({ 'a.iso': 'A', 'b.iso': 'B' });
    const folder = newFolder();
    const file = join(folder, 'it.bundle');
    const parts = { settings, own };
    expect((await exportBundle(parts, file, { prefixes: [] })).repositories).toMatchObject([{ packages: 2 }]);

    let more = [{ 'a.iso': 'AA', 'c.iso': 'C' }];
    /** Reads as the catalog does, and something is published after the first page. */
    const pages = async function* (prefix: string) {
      for await (const page of own.entries.pages(prefix)) {
        yield page;
        for (const contents of more.splice(0)) await publish(contents);
      }
    };
    const disturbed = { ...parts, own: { ...own, entries: { ...own.entries, pages } } };
    await expect(exportBundle(disturbed, join(folder, 'other.bundle'), { prefixes: ['/p'] })).rejects.toThrow(
      '/p: a new revision was published while it was read; export it again',
    );
    expect(readdirSync(folder)).toEqual(['it.bundle']);
    // Nothing is published while it is exported again.
    more = [];
    expect((await exportBundle(disturbed, file, { prefixes: ['/p'], replace: true })).repositories).toMatchObject([
      { packages: 2 },
    ]);
    await own.close();
  });
});
