import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { anEntry } from '../support/pipeline.ts';
import { processes } from '../support/processes.ts';
import { makeSite, type Site } from '../support/site.ts';

const start = processes();
const folder = temporaryFolders();
const ZOO = fileURLToPath(new URL('../../examples/zoo', import.meta.url));

const aSite = (): Site => makeSite(start, folder(), { dispatch: 'none' });
const ended = async (site: Site, ...args: string[]) => {
  const { status, stdout, stderr } = await site.start(...args).ended;
  return { status, said: stdout.toString(), stderr };
};
const wal = (file: string) => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;

/** A site with an import and a waiting save, and the backup of its state. */
const aBackup = async () => {
  const site = aSite();
  await site.run('catalog', 'import', 'yum', ZOO, '--prefix', '/zoo');
  const { openOutbox } = await import('../../src/saves/outbox/open.ts');
  const outbox = openOutbox(join(site.stateDir, 'outbox.db'), { onError: (error) => expect(error).toBeUndefined() });
  outbox.append({ requestId: 'a-request', entry: anEntry({ path: '/waiting.rpm' }) });
  outbox.flush();
  outbox.close();
  const file = join(folder(), 'backup.tar');
  return { site, file };
};
const kept = (site: Site) => {
  const metadata = join(site.stateDir, 'metadata');
  return readdirSync(metadata).map((name) => {
    const { mtimeMs } = statSync(join(metadata, name));
    return [name, Math.floor(mtimeMs / 1000), readFileSync(join(metadata, name)).toString('base64')];
  });
};
const listed = async (site: Site) => [
  await site.run('catalog', 'export', '--secrets'),
  JSON.parse(await site.run('importers', 'list', '--json')),
  await site.run('saves', 'list'),
];
const withoutAges = (said: unknown) => JSON.stringify(said).replaceAll(/\d+ s\b/g, 's');

it('a backup made under a running daemon and a writer restores to the same state, also on another machine', async () => {
  const { site, file } = await aBackup();
  const daemon = await site.serve();
  // What has not been moved into the database is part of it, too.
  const writer = new DatabaseSync(join(site.stateDir, 'catalog.db'));
  writer.exec('CREATE TABLE noise (a)');
  const insert = writer.prepare("INSERT INTO noise VALUES ('x')");
  const writing = setInterval(() => insert.run(), 1);
  const said = await site.run('backup', file);
  clearInterval(writing);
  writer.close();
  expect(wal(join(site.stateDir, 'catalog.db'))).toBeGreaterThan(0);
  expect(said).toMatch(/^backed up to .*: catalog\.db \(\d+ bytes\), outbox\.db \(\d+ bytes\), \d+ files of metadata/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(file, '..'))).toEqual(['backup.tar']);

  // Its ports are in use, by itself.
  const examined = await ended(site, 'doctor', '--json');
  const { problems, warnings, checkups } = JSON.parse(examined.said);
  expect([examined.status, problems, warnings, examined.stderr]).toEqual([0, 0, 0, '']);
  expect(checkups).toContainEqual(
    expect.objectContaining({ what: 'daemon', found: expect.stringMatching(/^ready, .*127/) }),
  );

  const refused = await ended(site, 'restore', file);
  expect(refused).toEqual({
    status: 1,
    said: '',
    stderr: `error: a daemon is using ${site.stateDir}: stop it (systemctl stop pulp-streamer), restore, and start it again\n`,
  });
  expect((await ended(site, 'restore', '--check', file)).status).toBe(0);
  const expected = await askWhole(`${daemon.url}/zoo/repodata/repomd.xml`);
  await daemon.stop();

  const other = aSite();
  await other.run('restore', file);
  expect(withoutAges(await listed(other))).toBe(withoutAges(await listed(site)));
  expect(kept(other)).toEqual(kept(site));
  for (const name of ['catalog.db', 'outbox.db']) expect(statSync(join(other.stateDir, name)).mode & 0o777).toBe(0o600);
  const restored = await other.serve();
  const { body, headers } = await askWhole(`${restored.url}/zoo/repodata/repomd.xml`);
  expect([body, headers['last-modified'], headers.etag]).toEqual([
    expected.body,
    expected.headers['last-modified'],
    expected.headers.etag,
  ]);
  await restored.stop();
});
