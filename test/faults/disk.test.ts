import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createCertificates } from '../support/certificates.ts';
import { openOf, processes, succeeded } from '../support/processes.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { ask } from './client.ts';
import { HARMS, type Harm, harm } from './gremlin.ts';
import { seaOfBytes } from './random.ts';
import { checksumOf, openScene, startFeeds } from './scene.ts';

const start = processes();
const folder = temporaryFolders();

/** More than sockets hold, so that the file is harmed while it is being read. */
const bytes = seaOfBytes(24 << 20, 5);
const right = { kind: 'clean', sha256: checksumOf(bytes).value, bytes: bytes.length };

/** A path whose first source is a file, and whose second one is a good feed. */
const open = async (content: Uint8Array, makeFile: (file: string) => string | undefined) => {
  const { feeds } = await startFeeds({ note: () => {} }, await createCertificates());
  feeds.plain.resources.set('/file', { bytes: content, framing: 'length', faults: [] });
  const home = folder();
  const file = join(home, 'file.rpm');
  const url = makeFile(file) ?? `file://${file}`;
  const urls = [url, `${feeds.plain.url}/file`];
  const listings = [{ path: '/file', urls, checksum: checksumOf(content), size: content.length }];
  const { daemon } = await openScene(start, home, { listings, settings: { dispatch: 'none' } });
  return {
    daemon,
    file,
    url: `${daemon.url}/file`,
    close: async () => {
      await until(() => openOf(daemon.pid).every((name) => !name.startsWith(file)));
      expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
      await feeds.close();
    },
  };
};

const whole = (file: string) => {
  writeFileSync(file, bytes);
  return undefined;
};

describe('a file that is harmed while it is sent', () => {
  const cut = { kind: 'cut' };
  /** What comes of the transfer, and what those get who ask afterwards. */
  const outcomes: Readonly<Record<Harm, readonly object[]>> = {
    truncated: [right, right],
    // The last byte, which had not been read: only the checksum can tell.
    'byte flipped': [cut, right],
    removed: [right, right],
    // The file that was opened is sent to its end; the one in its place is wrong, once.
    replaced: [right, cut, right],
    'folder in its place': [right, right],
  };

  it.each(HARMS)('%s: what came is continued, or the response is reset', async (how) => {
    const { url, file, close } = await open(bytes, whole);
    const [first, ...later] = outcomes[how];
    expect(await ask(url, { kind: 'waits', after: 1000, during: () => harm(file, how) })).toMatchObject(first ?? {});
    for (const expected of later) expect(await ask(url)).toMatchObject(expected);
    await close();
  });
});

describe('what is no readable file', () => {
  const content = bytes.subarray(0, 4096);
  const expected = { kind: 'clean', sha256: checksumOf(content).value };
  /** A file of 4096 bytes, as its size says, that fails to be read (EINVAL). */
  const UNREADABLE = '/sys/class/net/lo/speed';
  const readable = () => {
    try {
      return readFileSync(UNREADABLE).length >= 0;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT';
    }
  };

  const kinds: readonly (readonly [name: string, make: (file: string) => string | undefined])[] = [
    ['a file that is not there', () => undefined],
    ['a folder', (file) => void mkdirSync(file)],
    ['a link to itself', (file) => void symlinkSync(file, file)],
    ['a device', () => 'file:///dev/zero'],
    ['memory of the process', () => 'file:///proc/self/mem'],
    ['an empty file', (file) => void writeFileSync(file, '')],
    ['a shorter file', (file) => void writeFileSync(file, content.subarray(1))],
    ['a wrong file', (file) => void writeFileSync(file, Buffer.alloc(content.length))],
  ];

  it.each(kinds)('%s: the next source is taken', async (_, make) => {
    const { url, close } = await open(content, make);
    expect(await ask(url)).toMatchObject(expected);
    await close();
  });

  it('a named pipe: the next source is taken', async () => {
    const { url, close, file } = await open(content, () => undefined);
    await succeeded(start('mkfifo', [file]));
    expect(await ask(url)).toMatchObject(expected);
    await close();
  });

  (readable() ? it.skip : it)('an I/O error: the next source is taken', async () => {
    const { url, close, daemon } = await open(content, () => `file://${UNREADABLE}`);
    expect(await ask(url)).toMatchObject(expected);
    const [line] = await daemon.logged('request');
    expect(line).toMatchObject({ attempts: [{ failure: { code: 'UNREADABLE' } }, {}] });
    await close();
  });
});
