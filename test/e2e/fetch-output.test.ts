import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  createReadStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFeed, type TestFeed } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { digestOfGenerated, generate, serveGenerated } from '../support/generated.ts';
import { sha256 } from '../support/importing.ts';
import { ownEnvironment, processes, succeeded } from '../support/processes.ts';
import { MAIN, makeSite, type Site } from '../support/site.ts';
import { temporaryFolders as foldersOfFile } from '../support/temporary.ts';

const start = processes();
const folder = temporaryFolders();
const folderOfAll = foldersOfFile();

const CONTENT = generate(7, 3_000_001);
const DIGEST = digestOfGenerated(CONTENT);
const FETCHED = /^3000001 bytes from feed:127\.0\.0\.1:\d+ in \d+ ms, sha256 verified\n$/;

let feed: TestFeed;
let site: Site;
beforeAll(async () => {
  feed = await startFeed(serveGenerated(new Map([['/bear.rpm', CONTENT]])));
  site = makeSite(start, folderOfAll());
  await site.run('catalog', 'add', '/bear', `${feed.url}/bear.rpm`, '--checksum', `sha256:${DIGEST}`);
  await site.run('catalog', 'add', '/wrong', `${feed.url}/bear.rpm`, '--checksum', `sha256:${sha256('other')}`);
});
afterAll(() => feed.close());

/** The site with a good file and a file with wrong content, and an output folder. */
const openScene = () => {
  const home = folder();
  const before = feed.requests.length;
  const fetch = async (path: string, ...options: string[]) => {
    const { status, stdout, stderr } = await site.start('fetch', path, ...options).ended;
    return { status, stdout, stderr };
  };
  /** The same through a shell, for umasks and descriptors: `fetch` is the command. */
  const shell = (script: string) => {
    const env = { ...ownEnvironment(), NODE: process.execPath, MAIN, CONFIG: site.config };
    return start('sh', ['-c', `fetch() { "$NODE" "$MAIN" fetch "$@" --config "$CONFIG"; }; ${script}`], {
      cwd: home,
      env,
    });
  };
  /** Requests of the test to the feed. */
  const asked = () => feed.requests.length - before;
  return { home, fetch, shell, asked };
};

const modeOf = (path: string) => (lstatSync(path).mode & 0o777).toString(8);

/** A device that accepts all bytes or none. Created by root, since a failed test may destroy it. */
const device = (home: string, name: 'null' | 'full'): string => {
  if (process.geteuid?.() !== 0) return `/dev/${name}`;
  execFileSync('mknod', [join(home, name), 'c', '1', name === 'null' ? '3' : '7']);
  return join(home, name);
};

const fifo = (home: string): string => {
  execFileSync('mkfifo', [join(home, 'pipe')]);
  return join(home, 'pipe');
};

describe('fetch -o', () => {
  it('writes to standard output for -', async () => {
    const { home, shell } = openScene();
    const { stdout, stderr } = await succeeded(shell('fetch /bear -o -'));
    expect(sha256(stdout)).toBe(DIGEST);
    expect(stderr).toMatch(FETCHED);
    expect(readdirSync(home)).toEqual([]);
  });

  it.each(['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1', 'link'])('writes to standard output for %s', async (name) => {
    const { home, shell } = openScene();
    symlinkSync('/dev/stdout', join(home, 'link'));
    const { stdout } = await succeeded(shell(`fetch /bear -o ${name}`));
    expect(sha256(stdout)).toBe(DIGEST);
    expect(readdirSync(home)).toEqual(['link']);
  });

  it.each(['-', '/dev/stdout'])('ends without an error if the reader of %s closes early', async (name) => {
    const { home, shell } = openScene();
    const { stdout, stderr } = await succeeded(
      shell(`{ fetch /bear -o ${name}; echo $? >status; } | dd bs=1 count=1 status=none`),
    );
    expect(stdout).toHaveLength(1);
    expect(stderr).toBe('');
    expect(readFileSync(join(home, 'status'), 'utf8')).toBe('0\n');
  });

  it.each([
    ['/dev/stdout', '>>log'],
    ['/dev/fd/3', '3>>log'],
  ])('writes on to a file that %s was opened with', async (name, redirection) => {
    const { home, shell } = openScene();
    writeFileSync(join(home, 'log'), 'before');
    await succeeded(shell(`fetch /bear -o ${name} ${redirection}`));
    const written = readFileSync(join(home, 'log'));
    expect(written.subarray(0, 6).toString()).toBe('before');
    expect(sha256(written.subarray(6))).toBe(DIGEST);
    expect(readdirSync(home)).toEqual(['log']);
  });

  it('writes to an inherited pipe', async () => {
    const { shell } = openScene();
    const { stdout } = await succeeded(shell('{ fetch /bear -o /dev/fd/3 3>&1 >&2 | cat; }'));
    expect(sha256(stdout)).toBe(DIGEST);
  });

  it('leaves a device unchanged', async () => {
    const { home, fetch } = openScene();
    const path = device(home, 'null');
    const before = lstatSync(path);
    expect(await fetch('/bear', '-o', path)).toMatchObject({ status: 0, stderr: expect.stringMatching(FETCHED) });
    expect(await fetch('/wrong', '-o', path)).toMatchObject({ status: 1 });
    expect(lstatSync(path)).toMatchObject({ ino: before.ino, mode: before.mode, rdev: before.rdev });
    expect(readdirSync(home).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('names a full device, and leaves it unchanged', async () => {
    const { home, fetch } = openScene();
    const path = device(home, 'full');
    const { status, stderr } = await fetch('/bear', '-o', path);
    expect(stderr).toMatch(`error: -o ${path}: ENOSPC: no space left on device`);
    expect(status).toBe(1);
    expect(lstatSync(path).isCharacterDevice()).toBe(true);
  });

  it('writes to the reader of a FIFO', async () => {
    const { home, fetch } = openScene();
    const path = fifo(home);
    const [received, { status, stderr }] = await Promise.all([
      buffer(createReadStream(path)),
      fetch('/bear', '-o', path),
    ]);
    expect(stderr).toMatch(FETCHED);
    expect(status).toBe(0);
    expect(sha256(received)).toBe(DIGEST);
    expect(lstatSync(path).isFIFO()).toBe(true);
    expect(readdirSync(home)).toEqual(['pipe']);
  });

  it('reports that the reader of a FIFO has closed it', async () => {
    const { home } = openScene();
    const path = fifo(home);
    const { ended } = site.start('fetch', '/bear', '-o', path);
    const reader = createReadStream(path, { highWaterMark: 1000 });
    await new Promise((resolve) => reader.once('data', resolve));
    reader.destroy();
    expect(await ended).toMatchObject({ status: 1, stderr: `error: -o ${path}: its reader has closed it\n` });
    expect(lstatSync(path).isFIFO()).toBe(true);
  });

  it('can be interrupted while the reader of a FIFO does not read', async () => {
    const { home, asked } = openScene();
    const path = fifo(home);
    const running = site.start('fetch', '/bear', '-o', path);
    const reader = createReadStream(path, { highWaterMark: 1000 });
    await new Promise((resolve) => reader.once('data', () => resolve(reader.pause())));
    expect(asked()).toBe(1);
    running.kill('SIGINT');
    expect(await running.ended).toMatchObject({ status: 1, stderr: 'error: interrupted\n' });
    expect(lstatSync(path).isFIFO()).toBe(true);
    reader.destroy();
  });

  it('writes to the listener of a socket', async () => {
    const { home, fetch } = openScene();
    const path = join(home, 'socket');
    const server = createServer().listen(path);
    const received = new Promise<Buffer>((resolve) => server.on('connection', (socket) => resolve(buffer(socket))));
    expect(await fetch('/bear', '-o', path)).toMatchObject({ status: 0, stderr: expect.stringMatching(FETCHED) });
    expect(sha256(await received)).toBe(DIGEST);
    expect(lstatSync(path).isSocket()).toBe(true);
    expect(readdirSync(home)).toEqual(['socket']);
    await new Promise((resolve) => server.close(resolve));
  });

  it('writes through a symbolic link, and leaves it', async () => {
    const { home, fetch } = openScene();
    mkdirSync(join(home, 'there'));
    writeFileSync(join(home, 'there', 'bear'), 'before');
    symlinkSync('there', join(home, 'folder'));
    symlinkSync('folder/bear', join(home, 'link'));
    await fetch('/bear', '-o', join(home, 'link'));
    expect(lstatSync(join(home, 'link')).isSymbolicLink()).toBe(true);
    expect(sha256(readFileSync(join(home, 'there', 'bear')))).toBe(DIGEST);
    expect(readdirSync(join(home, 'there'))).toEqual(['bear']);
    expect(readdirSync(home)).toEqual(['folder', 'link', 'there']);
  });

  it('creates the file that a symbolic link names', async () => {
    const { home, fetch } = openScene();
    symlinkSync('bear', join(home, 'link'));
    await fetch('/bear', '-o', join(home, 'link'));
    expect(lstatSync(join(home, 'link')).isSymbolicLink()).toBe(true);
    expect(sha256(readFileSync(join(home, 'bear')))).toBe(DIGEST);
    expect(readdirSync(home)).toEqual(['bear', 'link']);
  });

  it('keeps the mode of a file, and creates a new one by the umask', async () => {
    const { home, shell } = openScene();
    writeFileSync(join(home, 'old'), 'before');
    chmodSync(join(home, 'old'), 0o604);
    await succeeded(shell('umask 027; fetch /bear -o old && fetch /bear -o new'));
    expect(['old', 'new'].map((name) => modeOf(join(home, name)))).toEqual(['604', '640']);
  });

  it('leaves the old file if the content does not match the catalog', async () => {
    const { home, fetch } = openScene();
    writeFileSync(join(home, 'bear'), 'before');
    expect(await fetch('/wrong', '-o', join(home, 'bear'))).toMatchObject({ status: 1 });
    expect(readFileSync(join(home, 'bear'), 'utf8')).toBe('before');
    expect(readdirSync(home)).toEqual(['bear']);
  });

  it('refuses a folder before any request to a source', async () => {
    const { home, fetch, asked } = openScene();
    const { status, stderr } = await fetch('/bear', '-o', home);
    expect(stderr).toBe(`error: -o ${home}: is a folder; expected a file\n`);
    expect(status).toBe(1);
    expect(asked()).toBe(0);
    expect(readdirSync(home)).toEqual([]);
  });
});
