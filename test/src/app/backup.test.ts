import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { packTar } from 'modern-tar';
import { backUp } from '../../../src/app/backup/back-up.ts';
import { checkBackup, restore } from '../../../src/app/backup/restore.ts';
import { settingsOf } from '../../../src/app/from-settings.ts';
import { lockState } from '../../../src/app/state-folder.ts';
import { openSqliteCatalog } from '../../../src/catalog/sqlite/catalog.ts';
import { openOutbox } from '../../../src/saves/outbox/open.ts';
import { someBytes } from '../../support/collect.ts';
import { sha256 } from '../../support/importing.ts';
import { itAsRoot, NOBODY } from '../../support/nobody.ts';
import { anEntry } from '../../support/pipeline.ts';
import { describing, filesOf, keep, stores } from '../../support/stores.ts';

const { aStore, newFolder } = stores();

const METADATA = 'the metadata of a repository\n';
const KEPT = `sha256-${sha256(METADATA)}`;

const addEntry = ({ catalog: file }: { readonly catalog: string }, path: string) => {
  const catalog = openSqliteCatalog(file);
  const { id } = catalog.importers.ensure({});
  const url = `http://127.0.0.1${path}`;
  catalog.entries.add({ ...anEntry({ path, url, importerId: id }), unitKey: { path } });
  catalog.close();
};
const pathsIn = (file: string) => {
  const catalog = openSqliteCatalog(file);
  const paths = [...catalog.entries.list('/')].map(({ path }) => path);
  catalog.close();
  return paths;
};
const withOutbox = <T>(stateDir: string, work: (outbox: ReturnType<typeof openOutbox>) => T): T => {
  const outbox = openOutbox(join(stateDir, 'outbox.db'), {
    onError: (error) => {
      throw error;
    },
  });
  const result = work(outbox);
  outbox.close();
  return result;
};
const waitingIn = (stateDir: string) => withOutbox(stateDir, ({ list }) => [...list()].map(({ entry }) => entry.path));

/** The settings of a state folder with one entry, one waiting save and one file of metadata. */
const aState = () => {
  const settings = settingsOf({ stateDir: join(newFolder(), 'state') });
  const { stateDir } = settings;
  addEntry(settings, '/one');
  withOutbox(stateDir, ({ append, flush }) => {
    append({ requestId: 'a-request', entry: anEntry({ path: '/waiting' }) });
    flush();
  });
  mkdirSync(join(stateDir, 'metadata'));
  for (const [name, text] of [
    [KEPT, METADATA],
    ['0123.part', 'half'],
  ] as const)
    writeFileSync(join(stateDir, 'metadata', name), text);
  return settings;
};

/** One more entry than its backup has. */
const aBackup = async () => {
  const settings = aState();
  const file = join(newFolder(), 'backup.tar');
  await backUp(settings, file);
  addEntry(settings, '/later');
  return { settings, file };
};

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: Error) => error.message,
  );

describe('a backup', () => {
  it('restores catalog, saves and metadata, and keeps what was there', async () => {
    const { settings, file } = await aBackup();
    const { files, former } = await restore(settings, file);
    expect(files.map(({ name }) => name)).toEqual([`metadata/${KEPT}`, 'catalog.db', 'outbox.db']);
    expect(pathsIn(settings.catalog)).toEqual(['/one']);
    expect(former.map((name) => dirname(name))).toEqual([settings.stateDir, settings.stateDir]);
    expect(pathsIn(former[0] ?? '')).toEqual(['/later', '/one']);

    const other = settingsOf({ stateDir: join(newFolder(), 'not', 'there') });
    expect((await restore(other, file)).former).toEqual([]);
    expect(pathsIn(other.catalog)).toEqual(['/one']);
    expect(waitingIn(other.stateDir)).toEqual(['/waiting']);
    expect(readFileSync(join(other.stateDir, 'metadata', KEPT), 'utf8')).toBe(METADATA);
    for (const name of readdirSync(other.stateDir))
      expect([name, statSync(join(other.stateDir, name)).mode & 0o077]).toEqual([name, 0]);
  });

  it('has what a process that was killed had not moved into its database', async () => {
    const settings = aState();
    const catalog = openSqliteCatalog(settings.catalog);
    catalog.entries.add({ ...anEntry({ path: '/in-the-log' }), unitKey: { path: '/in-the-log' } });
    const killed = settingsOf({ stateDir: join(newFolder(), 'killed') });
    cpSync(settings.stateDir, killed.stateDir, { recursive: true });
    catalog.close();
    expect(statSync(`${killed.catalog}-wal`).size).toBeGreaterThan(0);
    const file = join(newFolder(), 'backup.tar');
    await backUp(killed, file);
    const other = settingsOf({ stateDir: newFolder() });
    await restore(other, file);
    expect(pathsIn(other.catalog)).toEqual(['/in-the-log', '/one']);
    // The log belongs to the former one alone.
    const { former } = await restore(killed, file);
    expect(pathsIn(killed.catalog)).toEqual(['/in-the-log', '/one']);
    expect(former).toHaveLength(2);
  });

  it('is for its owner alone, replaces no other file unasked, and leaves nothing else', async () => {
    const settings = aState();
    const folder = newFolder();
    const file = join(folder, 'backup.tar');
    writeFileSync(file, 'mine');
    expect(await refusal(backUp(settings, file))).toBe(
      `${file} exists; name another file, or replace it with --replace`,
    );
    expect(readFileSync(file, 'utf8')).toBe('mine');
    writeFileSync(`${file}.part`, 'of a process that was killed', { mode: 0o644 });
    await backUp(settings, file, { replace: true });
    expect([readdirSync(folder), statSync(file).mode & 0o777]).toEqual([['backup.tar'], 0o600]);
    await checkBackup(file);
  });

  it('of a damaged catalog is not made', async () => {
    const settings = aState();
    const bytes = readFileSync(settings.catalog);
    bytes.fill(0xff, 4096);
    writeFileSync(settings.catalog, bytes);
    const folder = newFolder();
    expect(await refusal(backUp(settings, join(folder, 'backup.tar')))).toMatch(
      /catalog\.db is damaged \(.+\); restore/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of nothing is not made', async () => {
    const stateDir = newFolder();
    const file = join(newFolder(), 'backup.tar');
    expect(await refusal(backUp(settingsOf({ stateDir }), file))).toBe(
      `${stateDir} has neither a catalog nor an outbox: there is nothing to back up (state_dir)`,
    );
    expect(existsSync(file)).toBe(false);
  });

  it('replaces a damaged catalog, which is kept', async () => {
    const { settings, file } = await aBackup();
    writeFileSync(settings.catalog, 'nothing but text\n');
    const { former } = await restore(settings, file);
    expect(readFileSync(former[0] ?? '', 'utf8')).toBe('nothing but text\n');
    expect(pathsIn(settings.catalog)).toEqual(['/one']);
  });

  it('does not replace what a daemon or a command uses', async () => {
    const { settings, file } = await aBackup();
    const lock = lockState(settings);
    expect(await refusal(restore(settings, file))).toMatch(/^a daemon is using .*: stop it/);
    lock?.release();
    const catalog = openSqliteCatalog(settings.catalog);
    expect(await refusal(restore(settings, file))).toMatch(/^another command is using .*catalog\.db .*wait until/);
    catalog.close();
    expect(pathsIn(settings.catalog)).toEqual(['/later', '/one']);
    expect(readdirSync(settings.stateDir).filter((name) => /part|replaced/.test(name))).toEqual([]);
  });

  it('removes copies that a later revision of the restored catalog could be mistaken for', async () => {
    const { settings, file } = await aBackup();
    const content = someBytes(1000);
    const store = aStore({ folder: settings.saveDir });
    await keep(store, describing(content, { path: '/known.rpm' }), content);
    await keep(store, anEntry({ path: '/bare.rpm' }), content);
    expect(filesOf(settings.saveDir)).toHaveLength(2);
    await restore(settings, file);
    expect(filesOf(settings.saveDir)).toHaveLength(1);
    expect(filesOf(settings.saveDir)[0]?.split('/')).toHaveLength(2);
  });

  it.each<[string, (file: string) => unknown, RegExp]>([
    ['cut off', (file) => truncateSync(file, statSync(file).size - 8_192), /expected a whole backup|no manifest/],
    [
      'changed in one byte of the catalog',
      (file) => {
        const bytes = readFileSync(file);
        const at = bytes.indexOf('http://127.0.0.1/one');
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        writeFileSync(file, bytes);
      },
      /damaged: catalog\.db is not what manifest\.json lists/,
    ],
    [
      'text',
      (file) => writeFileSync(file, 'nothing but text\n'.repeat(100)),
      /expected a whole backup of pulp-streamer/,
    ],
    ['empty', (file) => writeFileSync(file, ''), /expected a whole backup of pulp-streamer/],
    [
      'a tar of other files',
      async (file) => writeFileSync(file, await packTar([{ header: { name: '../evil', size: 1 }, body: 'x' }])),
      /found \.\.\/evil, which none has/,
    ],
    [
      'of a later format',
      async (file) => {
        const body = JSON.stringify({ format: 2, version: '9.0.0', made: '', files: [] });
        writeFileSync(file, await packTar([{ header: { name: 'manifest.json', size: body.length }, body }]));
      },
      /pulp-streamer 9\.0\.0 made it, in format 2; install that version/,
    ],
  ])('that is %s changes nothing', async (_, spoil, reason) => {
    const { settings, file } = await aBackup();
    await spoil(file);
    expect(await refusal(checkBackup(file))).toMatch(reason);
    expect(await refusal(restore(settings, file))).toMatch(reason);
    expect(readdirSync(settings.stateDir).toSorted()).toEqual(['catalog.db', 'daemon.lock', 'metadata', 'outbox.db']);
    expect(pathsIn(settings.catalog)).toEqual(['/later', '/one']);
  });

  it('of a later layout is refused, with what to do', async () => {
    const settings = aState();
    const database = new DatabaseSync(settings.catalog);
    database.exec('PRAGMA user_version = 99');
    database.close();
    const file = join(newFolder(), 'backup.tar');
    await backUp(settings, file);
    const other = settingsOf({ stateDir: newFolder() });
    expect(await refusal(restore(other, file))).toMatch(
      /catalog\.db: it has layout 99, .*a later version wrote it; install/,
    );
    expect(readdirSync(other.stateDir)).toEqual(['daemon.lock', 'metadata']);
  });
});

itAsRoot('what root restores belongs to the owner of the folder', async () => {
  const { settings, file } = await aBackup();
  const { stateDir } = settings;
  chmodSync(dirname(stateDir), 0o755);
  for (const name of ['', ...readdirSync(stateDir, { recursive: true })])
    chownSync(join(stateDir, String(name)), NOBODY.uid, NOBODY.gid);
  await restore(settings, file);
  for (const name of readdirSync(stateDir, { recursive: true }))
    expect([name, statSync(join(stateDir, String(name))).uid]).toEqual([name, NOBODY.uid]);
  await backUp(settings, `${file}2`);
  expect(statSync(`${file}2`).uid).toBe(0);
});

itAsRoot('root restores through no link that the owner of the folder put in its way', async () => {
  const { settings, file } = await aBackup();
  const { stateDir } = settings;
  const guarded = newFolder();
  chmodSync(dirname(stateDir), 0o755);
  rmSync(join(stateDir, 'metadata'), { recursive: true });
  symlinkSync(guarded, join(stateDir, 'metadata'));
  for (const name of ['', ...readdirSync(stateDir)]) lchownSync(join(stateDir, name), NOBODY.uid, NOBODY.gid);
  expect(await refusal(restore(settings, file))).toMatch(
    /EACCES: permission denied, lstat '.*\/metadata\/sha256-.*\.part'/,
  );
  expect(readdirSync(guarded)).toEqual([]);
  expect(pathsIn(settings.catalog)).toEqual(['/later', '/one']);
});
