import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { openOf, processes, type Start } from '../support/processes.ts';
import { rot } from '../support/rot.ts';
import type { DaemonProcess } from '../support/site.ts';
import { filesOf } from '../support/stores.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { ask } from './client.ts';
import { startFaultyFeed } from './feed.ts';
import { HARMS, type Harm, harm } from './gremlin.ts';
import { seaOfBytes } from './random.ts';
import { checksumOf, openScene } from './scene.ts';

const start = processes();
const folder = temporaryFolders();

/** More than sockets hold, so that the file is damaged while it is read. */
const bytes = seaOfBytes(24 << 20, 5);
const right = { kind: 'clean', sha256: checksumOf(bytes).value, bytes: bytes.length };

/** A path whose first source is a file and whose second one is a good feed. */
const open = async (makeFile: (file: string) => void, by = (_: string) => start) => {
  const feed = await startFaultyFeed({ note: () => {} });
  feed.resources.set('/file', { bytes, framing: 'length', faults: [] });
  const home = folder();
  const file = join(home, 'file.rpm');
  makeFile(file);
  const urls = [`file://${file}`, `${feed.url}/file`];
  const listings = [{ path: '/file', urls, checksum: checksumOf(bytes), size: bytes.length }];
  const { daemon } = await openScene(by(file), home, { listings, settings: { dispatch: 'none' } });
  return {
    daemon,
    file,
    url: `${daemon.url}/file`,
    close: async () => {
      await until(() => openOf(daemon.pid).every((name) => !name.startsWith(file)));
      expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
      await feed.close();
    },
  };
};

const whole = (file: string) => writeFileSync(file, bytes);

describe('a file that is damaged while it is sent', () => {
  const cut = { kind: 'cut' };
  /** The result of the transfer, and those of later requests. */
  const outcomes: Readonly<Record<Harm, readonly object[]>> = {
    truncated: [right, right],
    // The last byte, which had not been read: only the checksum can reveal it.
    'byte flipped': [cut, right],
    removed: [right, right],
    // The opened file is sent to its end. The one in its place is wrong, once.
    replaced: [right, cut, right],
    'folder in its place': [right, right],
  };

  it.each(HARMS)('%s: the body is continued, or the response is reset', async (how) => {
    const { url, file, close } = await open(whole);
    const [first, ...later] = outcomes[how];
    expect(await ask(url, { kind: 'waits', after: 1000, during: () => harm(file, how) })).toMatchObject(first ?? {});
    for (const expected of later) expect(await ask(url)).toMatchObject(expected);
    await close();
  });
});

describe('a saved copy', () => {
  /** Bytes of a block, which the copy's sums are of. */
  const BLOCK = 65_536;

  /** A daemon that has just been restarted, after it had saved a copy of a file. */
  const openSaved = async (atRest: (file: string) => void = () => {}) => {
    const feed = await startFaultyFeed({ note: () => {} });
    feed.resources.set('/file', { bytes, framing: 'length', faults: [] });
    const listings = [{ path: '/file', urls: [`${feed.url}/file`], checksum: checksumOf(bytes), size: bytes.length }];
    const settings = { dispatch: 'save', cooldown: 0 };
    const { site, daemon: first, saved } = await openScene(start, folder(), { listings, settings });
    expect(await ask(`${first.url}/file`)).toMatchObject(right);
    await first.logged('saved');
    expect(await first.stop()).toMatchObject({ status: 0, stderr: '' });
    const file = join(saved, filesOf(saved)[0] ?? '');
    atRest(file);
    const daemon = await site.serve();
    return {
      daemon,
      file,
      url: `${daemon.url}/file`,
      close: async () => {
        await until(() => openOf(daemon.pid).every((name) => !name.startsWith(file)));
        expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
        await feed.close();
      },
    };
  };
  const failed = { source: 'saved', failure: { code: 'CHANGED' } };
  const gone = async (daemon: DaemonProcess) => {
    const [line] = await daemon.logged('saving failed');
    expect(line?.error).toMatch(/its sha256 is [0-9a-f]+, expected [0-9a-f]+; it was removed$/);
  };

  it('is served at once by a later process, and verified without a digest', async () => {
    const { url, daemon, close } = await openSaved();
    expect(await ask(url)).toMatchObject(right);
    const [line] = await daemon.logged('request');
    expect(line).toMatchObject({ verified: 'sha256', attempts: [{ source: 'saved' }] });
    await close();
  });

  it.each([
    ['last byte of a block', 16 * BLOCK - 1],
    ['first byte of a block', 16 * BLOCK],
    ['last byte', -1],
  ])('whose %s rots: the feed continues, and the copy is removed', async (_, at) => {
    const { url, daemon, close } = await openSaved((file) => rot(file, at));
    expect(await ask(url)).toMatchObject(right);
    const [line] = await daemon.logged('request');
    expect(line).toMatchObject({ verified: 'sha256', attempts: [failed, {}] });
    await gone(daemon);
    expect(await ask(url)).toMatchObject(right);
    await close();
  });

  it('whose first byte rots: the feed’s content takes its place', async () => {
    const { url, daemon, close } = await openSaved((file) => rot(file, 0));
    expect(await ask(url)).toMatchObject(right);
    const [line] = await daemon.logged('request');
    expect(line).toMatchObject({ verified: 'sha256', attempts: [failed, {}] });
    await daemon.logged('saved');
    expect(await ask(url)).toMatchObject(right);
    const [, again] = await daemon.logged('request', {}, 2);
    expect(again).toMatchObject({ verified: 'sha256', attempts: [{ source: 'saved' }] });
    await close();
  });

  it('that rots: each of several clients gets the right bytes', async () => {
    const { url, daemon, close } = await openSaved((file) => rot(file, 100 * BLOCK));
    for (const outcome of await Promise.all(Array.from({ length: 5 }, () => ask(url))))
      expect(outcome).toMatchObject(right);
    await gone(daemon);
    await close();
  });

  it('that rots within a requested part: the feed continues the part', async () => {
    const { url, daemon, close } = await openSaved((file) => rot(file, 100 * BLOCK + 5));
    const part = (first: number, last: number) => ask(url, { kind: 'reads' }, { first, last });
    expect(await part(BLOCK + 1, 99 * BLOCK)).toMatchObject({ kind: 'clean', bytes: 98 * BLOCK });
    // The flipped byte lies before the part, but in its block.
    expect(await part(99 * BLOCK + 1, 100 * BLOCK + 10)).toMatchObject({ kind: 'clean', bytes: BLOCK + 10 });
    await gone(daemon);
    expect(await part(99 * BLOCK + 1, 100 * BLOCK + 10)).toMatchObject({ kind: 'clean', bytes: BLOCK + 10 });
    await close();
  });

  /** The opened file is read to its end, also if it is removed or replaced. */
  it.each(HARMS)('%s while it is sent: the body is right', async (how) => {
    const { url, file, close } = await openSaved();
    const during = async () => {
      await harm(file, how);
    };
    expect(await ask(url, { kind: 'waits', after: 1000, during })).toMatchObject(right);
    expect(await ask(url)).toMatchObject(right);
    await close();
  });
});

describe('a disk that fails', () => {
  const canTrace = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
  const name = 'in the middle: another source continues';

  (canTrace ? it : it.skip)(canTrace ? name : `${name} (skipped: needs strace, and permission to trace)`, async () => {
    // Each thread that reads the file gets EIO from its third read on.
    const inject = ['-e', 'trace=pread64', '-e', 'inject=pread64:error=EIO:when=3+'];
    const failing =
      (file: string): Start =>
      (command, args, options) =>
        start('strace', ['-D', '-f', '-qq', '-o', '/dev/null', ...inject, '-P', file, command, ...args], options);
    const { url, daemon, close } = await open(whole, failing);
    expect(await ask(url)).toMatchObject(right);
    const [line] = await daemon.logged('request');
    const attempts = (line?.attempts ?? []) as readonly object[];
    expect(attempts[0]).toMatchObject({ source: 'feed:file', failure: { code: 'UNREADABLE', phase: 'mid-body' } });
    expect(attempts.at(-1)).toMatchObject({ source: expect.stringMatching(/^feed:127/) });
    await close();
  });
});

describe('a non-regular or unreadable file', () => {
  const content = bytes.subarray(0, 4096);
  /** A file that reports 4096 bytes but cannot be read (EINVAL). */
  const UNREADABLE = '/sys/class/net/lo/speed';
  const readable = () => {
    try {
      return readFileSync(UNREADABLE).length >= 0;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT';
    }
  };

  const kinds: readonly (readonly [name: string, code: string, make: (file: string) => string | undefined])[] = [
    ['a file that is not there', 'SOURCE_MISSING', () => undefined],
    ['a folder', 'SOURCE_MISSING', (file) => void mkdirSync(file)],
    ['a link to itself', 'OUTSIDE_ROOT', (file) => void symlinkSync(file, file)],
    ['a device', 'SOURCE_MISSING', () => 'file:///dev/zero'],
    ['a named pipe', 'SOURCE_MISSING', (file) => void execFileSync('mkfifo', [file])],
    ['memory of the process', 'WRONG_LENGTH', () => 'file:///proc/self/mem'],
    ['an empty file', 'WRONG_LENGTH', (file) => void writeFileSync(file, '')],
    ['a shorter file', 'WRONG_LENGTH', (file) => void writeFileSync(file, content.subarray(1))],
    ['a wrong file', 'WRONG_CHECKSUM', (file) => void writeFileSync(file, Buffer.alloc(content.length))],
    ...(readable() ? [] : [['an I/O error', 'UNREADABLE', () => `file://${UNREADABLE}`] as const]),
  ];
  const outcomes = new Map<string, object>();

  beforeAll(async () => {
    const feed = await startFaultyFeed({ note: () => {} });
    feed.resources.set('/file', { bytes: content, framing: 'length', faults: [] });
    const home = folder();
    const listings = kinds.map(([name, , make], index) => {
      const file = join(home, `${index}.rpm`);
      const urls = [make(file) ?? `file://${file}`, `${feed.url}/file`];
      return { path: `/${encodeURI(name)}`, urls, checksum: checksumOf(content), size: content.length };
    });
    // All files are one source, and each must be tried first.
    const settings = { dispatch: 'none', cooldown: 0 };
    const { daemon } = await openScene(start, home, { listings, settings });
    for (const [index, [name]] of kinds.entries()) {
      const { path } = listings[index]!;
      const outcome = await ask(daemon.url + path);
      const [line] = await daemon.logged('request', { path });
      outcomes.set(name, { ...outcome, attempts: line?.attempts });
    }
    expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
    await feed.close();
  });

  it.each(kinds)('%s (%s): the next source is used', (name, code) => {
    expect(outcomes.get(name)).toMatchObject({
      kind: 'clean',
      sha256: checksumOf(content).value,
      attempts: [{ source: 'feed:file', failure: { code } }, { from: 0 }],
    });
  });
});
