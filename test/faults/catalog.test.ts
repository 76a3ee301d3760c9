import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { createCertificates } from '../support/certificates.ts';
import { processes } from '../support/processes.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { ask, type Outcome } from './client.ts';
import { seaOfBytes } from './random.ts';
import { catalogOf, checksumOf, list, openScene, startFeeds } from './scene.ts';

const start = processes();
const folder = temporaryFolders();
const COUNT = 3_000;
const bytes = seaOfBytes(20_000, 8);
const right = { kind: 'clean', sha256: checksumOf(bytes).value };

const open = async () => {
  const { feeds } = await startFeeds({ note: () => {} }, await createCertificates());
  const paths = Array.from({ length: COUNT }, (_, index) => `/content/package-${index}.rpm`);
  for (const path of paths) feeds.plain.resources.set(path, { bytes, framing: 'length', faults: [] });
  const listings = paths.map((path) => ({
    path,
    urls: [feeds.plain.url + path],
    checksum: checksumOf(bytes),
    size: bytes.length,
  }));
  const scene = await openScene(start, folder(), { listings, settings: { dispatch: 'none' } });
  return {
    ...scene,
    listings,
    catalog: catalogOf(scene.site),
    /** Requests every `step`-th path, several at once. */
    askSome: async (step: number): Promise<Outcome[]> => {
      const wanted = paths.filter((_, index) => index % step === 0);
      return Promise.all(wanted.map((path) => ask(scene.daemon.url + path)));
    },
    close: async () => {
      expect(await scene.daemon.stop()).toMatchObject({ status: 0, stderr: '' });
      await feeds.close();
    },
  };
};

const allRight = (outcomes: readonly Outcome[]) => expect(outcomes).toMatchObject(outcomes.map(() => right));

/** Complete and right, or an honest refusal. */
const honest = (outcomes: readonly Outcome[]) => {
  for (const outcome of outcomes)
    expect(outcome).toMatchObject(outcome.kind === 'clean' ? right : { kind: 'refused', noStore: true });
};

/** Holds the write locks of databases in another process for four seconds, and says so when it has them. */
const HOLD = `
  const { DatabaseSync } = require('node:sqlite');
  const held = process.argv.slice(1).map((file) => {
    const database = new DatabaseSync(file, { timeout: 10000 });
    database.exec('BEGIN IMMEDIATE');
    return database;
  });
  process.stdout.write('held');
  setTimeout(() => { for (const database of held) database.exec('ROLLBACK'); }, 4000);
`;

describe('a process that writes for seconds', () => {
  it('keeps no request waiting, for a path with a copy or for a new one', async () => {
    const { feeds } = await startFeeds({ note: () => {} }, await createCertificates());
    const paths = Array.from({ length: 10 }, (_, index) => `/content/package-${index}.rpm`);
    for (const path of paths) feeds.plain.resources.set(path, { bytes, framing: 'length', faults: [] });
    const listings = paths.map((path) => ({
      path,
      urls: [feeds.plain.url + path],
      checksum: checksumOf(bytes),
      size: bytes.length,
    }));
    const { site, daemon } = await openScene(start, folder(), {
      listings,
      settings: { dispatch: 'save' },
    });
    const askEach = async (some: readonly string[]) => {
      for (const path of some) allRight([await ask(daemon.url + path)]);
    };
    await askEach(paths.slice(0, 5));
    const writer = spawn(process.execPath, ['-e', HOLD, catalogOf(site), join(site.stateDir, 'outbox.db')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(writer.stdout, 'data');
    // The copies, and new paths among them, one after the other. A single wait of the usual five
    // seconds would last longer than the lock.
    for (let index = 0; index < 5; index += 1) await askEach([paths[index] as string, paths[5 + index] as string]);
    // It still holds the locks: a rollback ends it.
    expect(writer.exitCode).toBeNull();
    writer.kill();
    await once(writer, 'exit');
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
    await feeds.close();
  });
});

describe('the catalog', () => {
  it('is still read while another process writes and holds its lock', async () => {
    const { catalog, askSome, close } = await open();
    using writer = new DatabaseSync(catalog);
    writer.exec('BEGIN EXCLUSIVE; DELETE FROM lazy_content_catalog');
    allRight(await askSome(30));
    writer.exec('ROLLBACK');
    await close();
  });

  it('is still read while it is rewritten completely, again and again', async () => {
    const { site, listings, askSome, close } = await open();
    const asked = askSome(20);
    for (let turn = 0; turn < 3; turn += 1) list(site, listings);
    allRight(await asked);
    await close();
  });

  it('answers correctly when its file is corrupted under load', async () => {
    const { catalog, askSome, daemon, close } = await open();
    const before = askSome(50);
    const handle = await openFile(catalog, 'r+');
    await handle.write(Buffer.alloc(statSync(catalog).size - 100, 'x'), 0, undefined, 100);
    await handle.sync();
    await handle.close();
    rmSync(`${catalog}-wal`, { force: true });
    honest(await before);
    honest(await askSome(7));
    // It is still running, and still refuses.
    expect(await ask(`${daemon.url}/unknown`)).toMatchObject({ kind: 'refused', noStore: true });
    await close();
  });

  it('answers correctly when its file is removed under load', async () => {
    const { catalog, askSome, close } = await open();
    const before = askSome(50);
    for (const end of ['', '-wal', '-shm']) rmSync(catalog + end, { force: true });
    honest(await before);
    honest(await askSome(7));
    await close();
  });

  it('that is not a catalog is named, and nothing is started', async () => {
    const { site, catalog, close } = await open();
    await close();
    copyFileSync(catalog, `${catalog}.good`);
    for (const end of ['-wal', '-shm']) rmSync(catalog + end, { force: true });
    writeFileSync(catalog, 'x'.repeat(10_000));
    const { status, stderr } = await site.start('serve').ended;
    expect(status).not.toBe(0);
    expect(stderr).toContain(catalog);
    copyFileSync(`${catalog}.good`, catalog);
    const daemon = await site.serve();
    expect((await daemon.stop()).status).toBe(0);
  });
});
