import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { BehaviorSubject, tap } from 'rxjs';
import { type Ask, type BlockSums, field, type Location, type SourceEvent } from '../../../../pipelines/model/index.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import { BLOCK, sumBlocks } from '../../../../src/lib/block-sums.ts';
import { createDisk, openDisk } from '../../../../src/sources/disk/open.ts';
import { checkRoot, find } from '../../../../src/sources/disk/path.ts';
import { sourceContract } from '../../../contracts/source.ts';
import { anAsk, at, collect, failureOf, someBytes } from '../../../support/collect.ts';
import { holdMany } from '../../../support/lender.ts';
import { until } from '../../../support/until.ts';

/** The number of open descriptors of this process within a folder. */
const openUnder = (folder: string): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false; // The descriptor that readdir itself had open.
    }
  }).length;

const temporary = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'disk-test-')));

const sumsOf = (content: Uint8Array): BlockSums => {
  const summer = sumBlocks();
  summer.update(content);
  return summer.sums();
};

describe.each([
  ['a file on disk', () => undefined],
  ['a file with sums of its blocks', sumsOf],
])('(%s)', (name, blocksOf) =>
  sourceContract(name, async () => {
    const root = temporary();
    return {
      open: openDisk,
      offer: async (name, content) => {
        writeFileSync(join(root, name), content);
        return at(pathToFileURL(join(root, name)).href, { root, blocks: blocksOf(content) });
      },
      missing: () => at(`file://${root}/missing`, { root }),
      freed: () => until(() => openUnder(root) === 0),
      close: async () => rmSync(root, { recursive: true }),
    };
  }),
);

describe('a file on disk', () => {
  let folder: string;
  let root: string;
  const open = (url: string, timeoutMs = root) => openDisk(at(url, { root: timeoutMs }), anAsk());

  beforeAll(() => {
    folder = temporary();
    root = join(folder, 'root');
    mkdirSync(join(root, 'sub dir'), { recursive: true });
    mkdirSync(join(folder, 'root-beside'));
    writeFileSync(join(folder, 'secret'), 'secret');
    writeFileSync(join(folder, 'root-beside', 'secret'), 'secret');
    writeFileSync(join(root, 'bear.rpm'), 'bear');
    writeFileSync(join(root, 'sub dir', 'ä%20+b.deb'), 'percent');
    symlinkSync(join(folder, 'secret'), join(root, 'out'));
    symlinkSync(folder, join(root, 'up'));
    symlinkSync('bear.rpm', join(root, 'in'));
    symlinkSync('loop', join(root, 'loop'));
    symlinkSync(root, join(folder, 'alias'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('makes its head from the file, as a web server would', async () => {
    utimesSync(join(root, 'bear.rpm'), 0, new Date('2024-02-03T04:05:06Z'));
    const { head } = await collect(open(join(root, 'bear.rpm')));
    expect(head?.headers).toEqual([
      ['Content-Length', '4'],
      ['Content-Type', 'application/x-rpm'],
      ['Last-Modified', 'Sat, 03 Feb 2024 04:05:06 GMT'],
      ['ETag', head?.etag],
    ]);
  });

  it('changes its entity tag with the content', async () => {
    const path = join(folder, 'tagged');
    writeFileSync(path, 'one');
    const one = await collect(openDisk(at(path), anAsk()));
    utimesSync(path, 1, 1);
    const two = await collect(openDisk(at(path), anAsk()));
    appendFileSync(path, 'more');
    utimesSync(path, 1, 1);
    const three = await collect(openDisk(at(path), anAsk()));
    expect(new Set([one, two, three].map(({ head }) => head?.etag)).size).toBe(3);
  });

  describe('that is a copy', () => {
    const DATE = 'Thu, 01 Jan 2015 00:00:00 GMT';
    const copy = (headers?: Location['headers']) => at(join(root, 'bear.rpm'), { root, headers });
    const partOf = async (location: Location, ifRange: string) => {
      const { head, body } = await collect(openDisk(location, anAsk({ from: 1, ifRange })));
      return `${head?.from} ${body}`;
    };

    it('has the fields of its transfer, and no others', async () => {
      const headers = [
        ['etag', '"1"'],
        ['Last-Modified', DATE],
        ['Content-Encoding', 'gzip'],
      ] as const;
      const { head } = await collect(openDisk(copy(headers), anAsk()));
      expect(head).toMatchObject({ headers: [['Content-Length', '4'], ...headers], etag: '"1"' });
      expect((await collect(openDisk(copy([]), anAsk()))).head).toEqual({
        type: 'head',
        headers: [['Content-Length', '4']],
        length: 4,
        from: 0,
      });
    });

    it('continues for a client with its tag or its date, and starts over for one with those of the file', async () => {
      const own = (await collect(open(join(root, 'bear.rpm')))).head;
      const tagged = copy([
        ['ETag', '"1"'],
        ['Last-Modified', DATE],
      ]);
      expect(await partOf(tagged, '"1"')).toBe('1 ear');
      expect(await partOf(tagged, DATE)).toBe('1 ear');
      expect(await partOf(tagged, String(own?.etag))).toBe('0 bear');
      expect(await partOf(tagged, String(field(own?.headers ?? [], 'last-modified')))).toBe('0 bear');
    });

    it('proves nothing with a weak tag', async () => {
      const weak = copy([['ETag', 'W/"1"']]);
      const { head } = await collect(openDisk(weak, anAsk()));
      expect(field(head?.headers ?? [], 'etag')).toBe('W/"1"');
      expect(head?.etag).toBeUndefined();
      expect(await partOf(weak, 'W/"1"')).toBe('0 bear');
    });
  });

  it('reads plain paths unchanged and file URLs percent-decoded', async () => {
    await expect(collect(open(`${root}/sub dir/ä%20+b.deb`))).resolves.toMatchObject({ body: Buffer.from('percent') });
    await expect(collect(open(`file://${root}/sub%20dir/%C3%A4%2520+b.deb`))).resolves.toMatchObject({
      body: Buffer.from('percent'),
    });
    await expect(failureOf(open(`${root}/sub%20dir/%C3%A4%2520+b.deb`))).resolves.toMatchObject({
      code: 'SOURCE_MISSING',
    });
  });

  it('follows links within its root, also if the root is named by a link', async () => {
    await expect(collect(open(join(root, 'in')))).resolves.toMatchObject({ body: Buffer.from('bear') });
    await expect(collect(open(join(folder, 'alias', 'in')))).resolves.toMatchObject({ body: Buffer.from('bear') });
    await expect(collect(open(join(root, 'in'), join(folder, 'alias')))).resolves.toMatchObject({
      body: Buffer.from('bear'),
    });
  });

  it.each([
    ['dots', '/../secret'],
    ['dots to a folder whose name starts with the same letters', '/../root-beside/secret'],
    ['dots to nothing', '/../missing'],
    ['a link', '/out'],
    ['a linked folder', '/up/secret'],
    ['a NUL', '/bear.rpm\0.txt'],
    ['the root itself', ''],
  ])('never leaves its root: %s', async (_, way) => {
    await expect(failureOf(open(`${root}${way}`))).resolves.toMatchObject({ code: 'OUTSIDE_ROOT', source: 'disk' });
  });

  it.each(['/../secret', '/%2e%2e/secret', '/sub%20dir/../../secret', '/up/secret', '/bear.rpm%00.txt'])(
    'never leaves its root by the URL %s',
    async (way) => {
      await expect(failureOf(open(`file://${root}${way}`))).resolves.toMatchObject({ code: 'OUTSIDE_ROOT' });
    },
  );

  it.each([
    ['nothing there', 'missing', 'SOURCE_MISSING', 'no such file'],
    ['a file used as a folder', 'bear.rpm/x', 'SOURCE_MISSING', 'a part of its path is not a folder'],
    ['a folder', 'sub dir', 'SOURCE_MISSING', 'is a folder; expected a file'],
    ['a name too long', 'x'.repeat(300), 'SOURCE_MISSING', 'name too long'],
    ['a circle of links', 'loop', 'OUTSIDE_ROOT', 'too many symbolic links'],
  ])('reports the problem: %s', async (_, name, code, text) => {
    const error = await failureOf(open(join(root, name)));
    expect(error).toMatchObject({ code, source: 'disk' });
    expect(error.message).toContain(text);
    expect(error.message).toContain(root);
    await until(() => openUnder(folder) === 0);
  });

  it.each(['100%.rpm', '%zz', 'a\\b', 'a b|c'])(
    'is found at a URL that its name was put into as it is: %s',
    async (name) => {
      writeFileSync(join(root, name), name);
      await expect(collect(open(`file://${root}/${name}`))).resolves.toMatchObject({ body: Buffer.from(name) });
    },
  );

  it('has its own folder for its root, unless it has another', async () => {
    const own = (path: string) => openDisk({ url: path }, anAsk());
    await expect(collect(own(join(root, 'bear.rpm')))).resolves.toMatchObject({ body: Buffer.from('bear') });
    await expect(failureOf(own(join(root, 'out')))).resolves.toMatchObject({ code: 'OUTSIDE_ROOT' });
    await expect(failureOf(own(join(root, 'up', 'missing')))).resolves.toMatchObject({ code: 'SOURCE_MISSING' });
    const fed = openDisk({ url: join(root, 'in'), access: { root } }, anAsk());
    await expect(collect(fed)).resolves.toMatchObject({ body: Buffer.from('bear') });
  });

  it('may lie in the other roots, of which some may be missing', async () => {
    const disk = createDisk([join(folder, 'nowhere'), folder]);
    const { body } = await collect(disk.open(at(join(root, 'out'), { root }), anAsk()));
    expect(body.toString()).toBe('secret');
    disk.close();
    const error = await failureOf(open(join(root, 'out')));
    expect(error.message).toBe(
      `${root}/out, which leads to ${realpathSync(join(root, 'out'))}, lies outside ${root}; the setting file_roots can permit it`,
    );
  });

  it('is judged by what was found, whatever its name leads to after', async () => {
    const link = join(root, 'swapped');
    const lead = (to: string) => {
      rmSync(link, { force: true });
      symlinkSync(to, link);
    };
    const location = { url: link, root };
    lead('../secret');
    const outside = await find(location);
    lead('bear.rpm');
    await expect(checkRoot(outside, location, [])).rejects.toMatchObject({ code: 'OUTSIDE_ROOT' });
    const inside = await find(location);
    lead('../secret');
    await expect(checkRoot(inside, location, [])).resolves.toBeUndefined();
    expect(readFileSync(inside.link, 'utf8')).toBe('bear');
    for (const { fd } of [outside, inside]) closeSync(fd);
  });

  it('is not opened if it is a socket or a device', async () => {
    const server = createServer().listen(join(root, 'socket'));
    await once(server, 'listening');
    // Opening a socket fails with another reason.
    await expect(failureOf(open(join(root, 'socket')))).resolves.toMatchObject({
      code: 'SOURCE_MISSING',
      message: `${root}/socket is a socket; expected a file`,
    });
    await once(server.close(), 'close');
    await expect(failureOf(open('/dev/null', '/dev'))).resolves.toMatchObject({
      message: '/dev/null is a device; expected a file',
    });
  });

  it('does not wait for a named pipe’s writer', async () => {
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await expect(failureOf(open(join(root, 'pipe')))).resolves.toMatchObject({ code: 'SOURCE_MISSING' });
    await until(() => openUnder(folder) === 0);
  });

  it.each(['bear.rpm', 'file://elsewhere/bear.rpm', 'file:///a%2Fb', 'file:///%ff'])(
    'is not a usable path: %s',
    async (url) => {
      const error = await failureOf(open(url));
      expect(error).toMatchObject({ code: 'SOURCE_BROKEN' });
      expect(error.message).toContain(url);
    },
  );

  (process.getuid?.() === 0 ? it.skip : it)(
    'is refused without permission (needs a user other than root)',
    async () => {
      const path = join(root, 'locked');
      writeFileSync(path, '');
      chmodSync(path, 0);
      await expect(failureOf(open(path))).resolves.toMatchObject({ code: 'SOURCE_REFUSED' });
    },
  );

  /** Opens a file of several reads, changes it after the first chunk, then reads on. */
  const changed = async (change: (path: string) => void, blocksOf?: typeof sumsOf) => {
    const path = join(folder, 'changing');
    const content = someBytes(3_000_000);
    writeFileSync(path, content);
    const valve = new BehaviorSubject(true);
    let first = true;
    const events = openDisk(at(path, { blocks: blocksOf?.(content) }), anAsk())(valve);
    const result = collect(
      events.pipe(
        tap((event) => {
          if (event.type !== 'chunk' || !first) return;
          first = false;
          valve.next(false);
          change(path);
          valve.next(true);
        }),
      ),
    );
    return { result, content };
  };

  it('distinguishes a truncated file from one that ends', async () => {
    const { result } = await changed((path) => truncateSync(path, 1_500_000));
    await expect(result).rejects.toMatchObject({ code: 'SHORT_BODY', source: 'disk' });
    await until(() => openUnder(folder) === 0);
  });

  it('sends no more than it announced if the file grows', async () => {
    const { result, content } = await changed((path) => appendFileSync(path, 'more'));
    expect((await result).body.equals(content)).toBe(true);
  });

  it('sends the file to its end if it is deleted or replaced during the transfer', async () => {
    const { result, content } = await changed((path) => {
      unlinkSync(path);
      writeFileSync(path, 'another');
    });
    expect((await result).body.equals(content)).toBe(true);
  });

  describe('with sums of its blocks', () => {
    const content = someBytes(20 * BLOCK + 1000);
    const blocks = sumsOf(content);
    let path: string;

    beforeEach(() => {
      path = join(folder, 'checked');
      writeFileSync(path, content);
    });

    /** The bytes that come before the end, and the error if it ends with one. */
    const received = async (ask: Partial<Ask> = {}, more: Partial<Location> = {}) => {
      const chunks: Buffer[] = [];
      const keep = tap<SourceEvent>((event) => {
        if (event.type === 'chunk') chunks.push(Buffer.from(event.bytes));
      });
      const events = openDisk({ url: path, blocks, ...more } as Location, anAsk(ask))(OPEN).pipe(keep);
      const error = await collect(events).then(
        () => undefined,
        (error: unknown) => error,
      );
      await until(() => openUnder(folder) === 0);
      return { bytes: Buffer.concat(chunks), error };
    };

    const flip = (at: number) => {
      const fd = openSync(path, 'r+');
      writeSync(fd, Buffer.of((content[at] ?? 0) ^ 0x10), 0, 1, at);
      closeSync(fd);
    };
    const startOf = (at: number) => at - (at % BLOCK);
    const places = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 15 * BLOCK + 7, 16 * BLOCK - 1, 16 * BLOCK, 20 * BLOCK];

    it('says that its bytes are checked', async () => {
      expect((await collect(openDisk(at(path, { blocks }), anAsk()))).head?.checked).toBe(true);
      expect((await collect(openDisk(at(path), anAsk()))).head).not.toHaveProperty('checked');
    });

    it.each([...places, content.length - 1])('ends before the block of a flipped byte: %i', async (place) => {
      flip(place);
      const { bytes, error } = await received();
      expect(bytes.equals(content.subarray(0, startOf(place)))).toBe(true);
      expect(error).toMatchObject({
        code: 'CHANGED',
        source: 'disk',
        message: `${path} changed after byte ${startOf(place)} since it was verified`,
      });
    });

    it.each([
      [0, 0],
      [5, 10],
      [BLOCK - 1, BLOCK],
      [BLOCK, 2 * BLOCK - 1],
      [BLOCK + 5, 17 * BLOCK + 5],
      [19 * BLOCK + 1, 20 * BLOCK + 1],
      [20 * BLOCK + 10, undefined],
    ])('reads the blocks that contain the bytes %i to %i', async (from, last) => {
      const end = (last ?? content.length - 1) + 1;
      expect(await received({ from, last })).toEqual({ bytes: content.subarray(from, end), error: undefined });
      // Any other byte of the first block, and of the last one.
      for (const place of [startOf(from), Math.min(startOf(end - 1) + BLOCK, content.length) - 1]) {
        writeFileSync(path, content);
        flip(place);
        const { bytes, error } = await received({ from, last });
        expect(bytes.equals(content.subarray(from, Math.max(from, startOf(place))))).toBe(true);
        expect(error).toMatchObject({ code: 'CHANGED' });
      }
      // A byte of any other block does not matter.
      const others = places.filter((place) => startOf(place) < startOf(from) || startOf(place) >= end);
      writeFileSync(path, content);
      for (const place of others) flip(place);
      expect((await received({ from, last })).error).toBeUndefined();
      expect(others.length).toBeGreaterThan(0);
    });

    it.each([0, 1, BLOCK, 20 * BLOCK, content.length - 1])('is refused if it has only %i bytes', async (length) => {
      truncateSync(path, length);
      const { bytes, error } = await received();
      expect(bytes.length).toBe(0);
      expect(error).toMatchObject({
        code: 'CHANGED',
        message: `${path} has ${length} bytes; it had ${content.length} when it was verified`,
      });
    });

    it('is refused if it is longer', async () => {
      appendFileSync(path, 'x');
      expect((await received()).error).toMatchObject({ code: 'CHANGED' });
    });

    it('never ends cleanly if it is truncated while it is read, at a border or not', async () => {
      for (const length of [24 * BLOCK, 24 * BLOCK + 1, 1_500_000]) {
        const { result } = await changed((path) => truncateSync(path, length), sumsOf);
        await expect(result).rejects.toMatchObject({ code: expect.stringMatching(/^(CHANGED|SHORT_BODY)$/) });
      }
      await until(() => openUnder(folder) === 0);
    });

    it('ends before a sum that is wrong, although the bytes are right', async () => {
      const wrong = blocks.crc32.map((sum, block) => (block === 17 ? sum ^ 1 : sum));
      const { bytes, error } = await received({}, { blocks: { ...blocks, crc32: wrong } });
      expect(bytes.equals(content.subarray(0, 17 * BLOCK))).toBe(true);
      expect(error).toMatchObject({ code: 'CHANGED' });
    });

    it('is compared separately for each reader', async () => {
      flip(18 * BLOCK);
      const readers = [{}, { from: 19 * BLOCK }, { last: BLOCK }, { from: 18 * BLOCK + 5 }, {}];
      const all = await Promise.all(readers.map((ask) => received(ask)));
      expect(all.map(({ error }) => error !== undefined)).toEqual([true, false, false, true, true]);
    });

    it.each([0, BLOCK + 1, 2 * BLOCK + 10])('is read from byte %i while many clients are slow', async (from) => {
      // The last block is longer than the smallest buffer.
      const other = someBytes(2 * BLOCK + 12_000);
      writeFileSync(path, other);
      const giveBack = holdMany();
      const { bytes, error } = await received({ from }, { blocks: sumsOf(other) });
      giveBack();
      expect(error).toBeUndefined();
      expect(bytes.equals(other.subarray(from))).toBe(true);
    });

    it('is read in whole blocks by a client that pauses after each chunk', async () => {
      const valve = new BehaviorSubject(true);
      const sizes: number[] = [];
      const slowly = tap<SourceEvent>((event) => {
        if (event.type !== 'chunk') return;
        sizes.push(event.bytes.length);
        valve.next(false);
        queueMicrotask(() => valve.next(true));
      });
      const { body } = await collect(openDisk(at(path, { blocks }), anAsk())(valve).pipe(slowly));
      expect(body.equals(content)).toBe(true);
      expect(sizes.slice(1)).toEqual([...Array(Math.floor(content.length / BLOCK) - 4).fill(BLOCK), 1000]);
    });
  });

  it('reads nothing while the valve is closed', async () => {
    const path = join(folder, 'unread');
    writeFileSync(path, someBytes(1_000_000));
    const valve = new BehaviorSubject(false);
    let chunks = 0;
    const counted = tap<SourceEvent>((event) => {
      if (event.type === 'chunk') chunks += 1;
    });
    const result = collect(openDisk(at(path), anAsk())(valve).pipe(counted));
    await collect(openDisk(at(path), anAsk()));
    truncateSync(path, 0);
    valve.next(true);
    await expect(result).rejects.toMatchObject({ code: 'SHORT_BODY' });
    expect(chunks).toBe(0);
  });

  it('closes its file once, also if it is left during a read: descriptors are reused at once', async () => {
    const path = join(folder, 'left');
    writeFileSync(path, someBytes(1_000_000));
    const others: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      await new Promise<void>((resolve) => {
        const subscription = openDisk(
          at(path),
          anAsk(),
        )(OPEN).subscribe((event) => {
          if (event.type !== 'chunk') return;
          queueMicrotask(() => {
            subscription.unsubscribe();
            resolve();
          });
        });
      });
      for (let turn = 0; turn < 5; turn += 1) {
        others.push(openSync(path, 'r'));
        await setImmediate();
      }
    }
    for (const fd of others) expect(fstatSync(fd).size).toBe(1_000_000);
    for (const fd of others) closeSync(fd);
    await until(() => openUnder(folder) === 0);
  });
});
