import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createStreamer } from '../../src/index.ts';
import { receive } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { digestOfGenerated, generate, serveGenerated } from '../support/generated.ts';
import { asNobody, itAsRoot, makeNobodysFolder, NOBODY } from '../support/nobody.ts';
import { ownEnvironment, processes, type Start, succeeded } from '../support/processes.ts';
import { makeFilesRepository } from '../support/repositories.ts';
import { type DaemonProcess, type LogLine, MAIN, makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const CONTENT = generate(7, 300_001);
const DIGEST = digestOfGenerated(CONTENT);

/** Starts processes with an empty umask, so that every file has the mode of its creation. */
const openHanded: Start = (command, args, options) =>
  start('sh', ['-c', 'umask 0; exec "$0" "$@"', command, ...args], options);

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

/** The paths in a folder, including itself, that are accessible to others in any way. */
const openToOthers = (above: string): string[] =>
  ['', ...readdirSync(above, { recursive: true, encoding: 'utf8' })].filter(
    (name) => statSync(join(above, name)).mode & 0o077,
  );

const startMirror = () => startFeed(serveGenerated(new Map(['/a', '/b', '/c'].map((path) => [path, CONTENT]))));

/** Fetches a path from the daemon, and waits for its copy. */
const receiveAndSave = async (daemon: DaemonProcess, path: string) => {
  const received = await receive(daemon.url + path);
  await daemon.logged('saved', { path });
  return received.sha256;
};

describe('the streamer’s files', () => {
  it('are accessible only to its user, for any umask', async () => {
    const feed = await startMirror();
    const site = makeSite(openHanded, folder());
    await site.run('catalog', 'add', '/a', `${feed.url}/a`);
    expect(openToOthers(site.stateDir)).toEqual([]);
    const daemon = await site.serve();
    await receiveAndSave(daemon, '/a');
    const files = readdirSync(site.stateDir);
    for (const name of ['catalog.db-wal', 'catalog.db-shm', 'outbox.db-wal', 'outbox.db-shm', 'sources.json', 'saved'])
      expect(files).toContain(name);
    expect(openToOthers(site.stateDir)).toEqual([]);
    expect(readFileSync(`/proc/${daemon.pid}/status`, 'utf8')).toMatch(/^Umask:\t0077$/m);
  });

  it('are so in an embedder’s process too, whose umask stays', async () => {
    const stateDir = join(folder(), 'state');
    const before = process.umask(0);
    try {
      const feed = await startMirror();
      const streamer = await createStreamer({ stateDir });
      streamer.catalog.entries.add({
        path: '/a',
        url: `${feed.url}/a`,
        importerId: streamer.catalog.importers.ensure({}).id,
        unitId: 'a',
        unitTypeId: 'iso',
        unitKey: {},
        data: {},
      });
      for await (const _ of streamer.bytes('/a'));
      await until(() => readdirSync(stateDir).includes('sources.json'));
      expect(openToOthers(stateDir)).toEqual([]);
      await streamer.close();
    } finally {
      expect(process.umask(before)).toBe(0);
    }
  });

  it('that an earlier version left open are restricted by the next start, and logged', async () => {
    const feed = await startMirror();
    const site = makeSite(start, folder());
    await site.run('catalog', 'add', '/a', `${feed.url}/a`);
    const before = await site.serve();
    await receiveAndSave(before, '/a');
    before.kill('SIGKILL');
    await before.ended;
    // The next start restricts the lock when it takes it, before it looks at the other files, and
    // replaces the socket.
    const state = readdirSync(site.stateDir).filter((name) => !['daemon.lock', 'control.sock'].includes(name));
    const wide = [...state.map((name) => join(site.stateDir, name)), site.stateDir];
    for (const path of wide) chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);

    const daemon = await site.serve();
    const [line] = (await daemon.logged('files were accessible to other users, permissions removed')) as [LogLine];
    const named = (line.files as { path: string; mode: string; narrowed: string }[]).map(
      ({ path, mode, narrowed }) => `${relative(site.stateDir, path)} ${mode} ${narrowed}`,
    );
    expect(state).toContain('catalog.db-wal');
    expect(named.sort()).toEqual(
      ['', ...state]
        .map((name) => (['', 'saved', 'spill'].includes(name) ? `${name} 0755 0700` : `${name} 0644 0600`))
        .sort(),
    );
    expect(openToOthers(site.stateDir)).toEqual([]);
    const again = await receive(`${daemon.url}/a`);
    expect(again.sha256).toBe(DIGEST);
  });

  it('are restricted by commands, with a message', async () => {
    const site = makeSite(start, folder());
    await site.run('catalog', 'list');
    const file = join(site.stateDir, 'catalog.db');
    for (const command of [
      ['catalog', 'list'],
      ['saves', 'list'],
      ['sources', 'list'],
      ['explain', '/x'],
    ]) {
      chmodSync(file, 0o640);
      const { stderr } = await site.start(...command).ended;
      expect(stderr).toContain(file);
      expect(stderr).toContain('0640');
      expect(modeOf(file)).toBe('600');
    }
  });

  it('do not change a folder that others use as well, with a message', async () => {
    const home = folder();
    const stateDir = join(home, 'shared');
    mkdirSync(join(stateDir, 'others'), { recursive: true });
    chmodSync(stateDir, 0o755);
    const site = makeSite(start, home, { state_dir: stateDir });
    await (await site.serve()).stop();
    const daemon = await site.serve();
    await daemon.logged('owner or mode of files is unsafe, left unchanged');
    expect([stateDir, join(stateDir, 'catalog.db')].map(modeOf)).toEqual(['755', '600']);
  });
});

describe('the files that root creates in the folder of another user', () => {
  /** Owners of all files in a folder. */
  const ownersIn = (above: string) => [
    ...new Set(
      ['', ...readdirSync(above, { recursive: true, encoding: 'utf8' })].map((name) => {
        const { uid, gid } = statSync(join(above, name));
        return `${uid}:${gid}`;
      }),
    ),
  ];
  const THEIRS = [`${NOBODY.uid}:${NOBODY.gid}`];

  /** A site, for root and for the daemon’s user. */
  const openSites = () => {
    const home = folder();
    const stateDir = makeNobodysFolder(home, join(home, 'state'));
    const settings = { state_dir: stateDir };
    return { home, stateDir, root: makeSite(start, home, settings), user: makeSite(asNobody(start), home, settings) };
  };

  itAsRoot('belong to that user: the daemon continues, started before or after', async () => {
    const feed = await startMirror();
    const { home, stateDir, root, user } = openSites();
    await root.run('catalog', 'add', '/a', `${feed.url}/a`);
    expect(ownersIn(stateDir)).toEqual(THEIRS);

    const daemon = await user.serve();
    expect(await receiveAndSave(daemon, '/a')).toBe(DIGEST);
    await root.run('catalog', 'add', '/b', `${feed.url}/b`);
    const secret = join(home, 'for-root-alone');
    makeFilesRepository(secret, { bear: 'a bear' });
    chmodSync(secret, 0o700);
    await root.run('catalog', 'import', 'files', secret, '--prefix', '/secret');
    await root.run('sources', 'list');
    await root.run('saves', 'list');
    expect(await receiveAndSave(daemon, '/b')).toBe(DIGEST);
    await user.run('catalog', 'add', '/c', `${feed.url}/c`);
    expect(await receiveAndSave(daemon, '/c')).toBe(DIGEST);
    expect(ownersIn(stateDir)).toEqual(THEIRS);
    expect((await daemon.stop()).status).toBe(0);
  });

  itAsRoot('belong to that user even if the daemon ran as root and was killed', async () => {
    const feed = await startMirror();
    const { stateDir, root, user } = openSites();
    await root.run('catalog', 'add', '/a', `${feed.url}/a`);
    await root.run('catalog', 'add', '/b', `${feed.url}/b`);
    const byRoot = await root.serve();
    await receiveAndSave(byRoot, '/a');
    byRoot.kill('SIGKILL');
    await byRoot.ended;
    expect(readdirSync(stateDir)).toEqual(
      expect.arrayContaining(['catalog.db-wal', 'outbox.db', 'saved', 'sources.json']),
    );
    expect(ownersIn(stateDir)).toEqual(THEIRS);

    const daemon = await user.serve();
    expect(await receiveAndSave(daemon, '/b')).toBe(DIGEST);
    const saved = await receive(`${daemon.url}/a`);
    expect(saved.sha256).toBe(DIGEST);
    await daemon.logged('request', { path: '/a', source: 'saved' });
  });

  itAsRoot('belong to root if the folder does', async () => {
    const site = makeSite(start, folder());
    await site.run('catalog', 'list');
    expect(ownersIn(site.stateDir)).toEqual(['0:0']);
  });

  itAsRoot('are opened as that user would: no link of theirs leads root to another file', async () => {
    const { home, stateDir, root } = openSites();
    const precious = join(home, 'precious');
    writeFileSync(precious, '', { mode: 0o600 });
    symlinkSync(precious, join(stateDir, 'catalog.db'));
    symlinkSync(precious, join(stateDir, 'outbox.db'));
    for (const command of ['catalog', 'saves']) {
      const { status, stderr } = await root.start(command, 'list').ended;
      expect([status, stderr]).toEqual([
        1,
        expect.stringContaining('belongs to user root (mode 0600), and user nobody may not write to it'),
      ]);
    }
    expect([readFileSync(precious, 'utf8'), statSync(precious).uid]).toEqual(['', 0]);
  });

  itAsRoot('are not used by root either if that user cannot, and the answer says how to change it', async () => {
    const { stateDir, root } = openSites();
    const file = join(stateDir, 'catalog.db');
    writeFileSync(file, '', { mode: 0o600 });
    const { status, stderr } = await root.start('catalog', 'list').ended;
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(
        `${file} belongs to user root (mode 0600), and user nobody may not write to it. As root: chown nobody ${file}`,
      ),
    ]);
  });

  itAsRoot('are named by the daemon if they are unusable', async () => {
    const { stateDir, user } = openSites();
    writeFileSync(join(stateDir, 'catalog.db'), '', { mode: 0o600 });
    const { stderr, status } = await user.start('serve').ended;
    expect(stderr).toContain(`catalog: ${join(stateDir, 'catalog.db')} belongs to user root (mode 0600)`);
    expect(status).toBe(78);
  });
});

describe('a daemon whose user may not write to its folders', () => {
  /** Starts it as that user; resolves to what its error says, and to the commands in it. */
  const refused = async (site: ReturnType<typeof makeSite>) => {
    const { status, stderr } = await site.start('serve').ended;
    expect(status).toBe(78);
    return {
      stderr,
      commands: [...stderr.matchAll(/As root: (.*?)(?:, if .*|, or .*)?$/gm)].map(([, line = '']) => line),
    };
  };
  const asRoot = async (commands: readonly string[]) => {
    for (const command of commands) await succeeded(start('sh', ['-c', command]));
  };
  const userName = () => execFileSync('id', ['-un', String(NOBODY.uid)], { encoding: 'utf8' }).trim();

  itAsRoot('is told which command makes them, which is all that it takes', async () => {
    const home = folder();
    chmodSync(home, 0o755);
    const [stateDir, saveDir, other] = [join(home, 'a state'), join(home, 'copies'), join(home, 'other')];
    const settings = { state_dir: stateDir, save_dir: saveDir, catalog: join(other, 'c.db') };
    const user = makeSite(asNobody(start), home, settings);
    const { stderr, commands } = await refused(user);
    const of = (path: string) => `${path} does not exist, and user ${userName()} may not make it in ${home}`;
    expect(stderr).toBe(
      `the configuration is not valid:\n  state_dir: ${of(stateDir)}. As root: install -d -o ${userName()} -m 700 '${stateDir}'\n` +
        `  catalog: ${of(other)}. As root: install -d -o ${userName()} -m 700 ${other}\n` +
        `  save_dir: ${of(saveDir)}. As root: install -d -o ${userName()} -m 700 ${saveDir}\n`,
    );
    await asRoot(commands);
    const daemon = await user.serve();
    expect((await daemon.stop()).status).toBe(0);
    expect([stateDir, saveDir, other].map(modeOf)).toEqual(['700', '700', '700']);
  });

  itAsRoot('is told of a folder of its own if it has chosen none, as commands are', async () => {
    const env = { ...ownEnvironment(), HOME: '/home/somebody', XDG_STATE_HOME: '' };
    for (const args of [
      ['serve', '--config', '/dev/null'],
      ['catalog', 'list', '--config', '/dev/null'],
    ]) {
      const { status, stderr } = await asNobody(start)(process.execPath, [MAIN, ...args], { env }).ended;
      expect([status, stderr]).toEqual([
        78,
        expect.stringMatching(
          /^the configuration is not valid:\n {2}state_dir: .*\n {2}Or choose a folder of your own: --state-dir \/home\/somebody\/\.local\/state\/pulp-streamer\n$/ms,
        ),
      ]);
    }
  });

  itAsRoot('is told the same of a folder of root’s, of files of root’s in it, and of a folder above', async () => {
    const home = folder();
    chmodSync(home, 0o755);
    const stateDir = join(home, 'above', 'state');
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const user = makeSite(asNobody(start), home, { state_dir: stateDir });
    const above = await refused(user);
    expect(above.stderr).toContain(
      `state_dir: user ${userName()} may not pass ${dirname(stateDir)} (mode 0700, of user root)`,
    );
    await asRoot(above.commands);
    // Whether anything waits is unknown, which must not look like nothing. One warning is enough.
    const saves = await user.start('saves', 'list').ended;
    expect(saves).toMatchObject({ status: 1, stdout: Buffer.alloc(0) });
    expect(saves.stderr.split('\n').map((line) => line.split(' keeps its mode')[0])).toEqual([
      `warning: ${stateDir}`,
      expect.stringContaining(`error: ${join(stateDir, 'outbox.db')} cannot be read: EACCES`),
      '',
    ]);
    const owned = await refused(user);
    expect(owned.stderr).toContain(
      `${stateDir} belongs to user root (mode 0700), and user ${userName()} may not write`,
    );
    await asRoot(owned.commands);
    for (const name of ['catalog.db', 'outbox.db']) writeFileSync(join(stateDir, name), '', { mode: 0o600 });
    const files = await refused(user);
    expect(files.commands).toEqual(
      ['catalog.db', 'outbox.db'].map((name) => `chown ${userName()} ${join(stateDir, name)}`),
    );
    await asRoot(files.commands);
    expect((await (await user.serve()).stop()).status).toBe(0);
  });
});
