import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  BehaviorSubject,
  concat,
  defer,
  EMPTY,
  finalize,
  firstValueFrom,
  lastValueFrom,
  NEVER,
  type Observable,
  Subject,
  tap,
  throwError,
} from 'rxjs';
import { type Candidate, type CatalogEntry, type Dispatch, StreamError } from '../../../../pipelines/model/index.ts';
import { isSidecar, sidecarOf } from '../../../../src/saves/copies/sidecar.ts';
import type { SaveStoreOptions } from '../../../../src/saves/copies/store.ts';
import { openDisk } from '../../../../src/sources/disk/open.ts';
import { anAsk, collect, digestOf, failureOf, someBytes } from '../../../support/collect.ts';
import { contentOfNumber, entryOfNumber, headersOfNumber } from '../../../support/crash/numbered.ts';
import { runUntilKilled } from '../../../support/crash/until-killed.ts';
import { filesBelow } from '../../../support/folder.ts';
import { anEntry, aSource, usable } from '../../../support/pipeline.ts';
import { rot } from '../../../support/rot.ts';
import { describing, fileOf, find, keep, stores, writeTo } from '../../../support/stores.ts';
import { tinyDisk } from '../../../support/tiny-disk.ts';
import { until } from '../../../support/until.ts';

const { newFolder, aStore } = stores();

const MIB = 1 << 20;
const content = someBytes(300_000);
const entry = describing(content);

/** Changes the sums in a sidecar, which is undamaged afterwards. */
const rewrite = (file: string, change: (blocks: Record<string, unknown>) => unknown) => {
  const { version, about } = JSON.parse(readFileSync(sidecarOf(file), 'utf8'));
  const changed = { ...about, blocks: change(about.blocks) };
  const sum = digestOf(Buffer.from(JSON.stringify(changed)));
  writeFileSync(sidecarOf(file), JSON.stringify({ version, sum, about: changed }));
};

const ended = (result: Observable<unknown>) => lastValueFrom(result, { defaultValue: 'complete' });
const saveOf = (entry: CatalogEntry): Parameters<Dispatch>[0] => ({ id: 1, failures: 0, requestId: 'r', entry });

describe('a kept copy', () => {
  it('is offered as the saved source, and reads back the same', async () => {
    const store = aStore();
    await keep(store, entry, content);
    const candidate = await find(store, entry);
    const url = expect.stringContaining(store.files()[0]!);
    const blocks = { length: content.length, crc32: expect.any(Uint32Array) };
    const version = expect.any(String);
    expect(candidate).toEqual({
      ...{ entry, source: aSource('saved'), root: store.folder, url, headers: [], blocks, version },
    });
    const { body } = await collect(openDisk(usable(candidate!), anAsk()));
    expect(body.equals(content)).toBe(true);
    expect(store.files()).toHaveLength(1);
    expect(store.errors).toEqual([]);
  });

  it.each([
    { bytes: 0, size: 1 },
    { bytes: 1, size: 1 },
    { bytes: 5000, size: 1 },
    { bytes: 200_001, size: 65_536 },
  ])('may have $bytes bytes in chunks of $size', async ({ bytes, size }) => {
    const store = aStore();
    const some = someBytes(bytes);
    const keeping = store.keep(describing(some), undefined, []);
    writeTo(keeping, some, size);
    keeping?.commit();
    await store.close();
    expect(readFileSync(fileOf(await find(store, describing(some)))).equals(some)).toBe(true);
  });

  it('is not offered before its commit, nor after an abort, which leaves nothing behind', async () => {
    const store = aStore();
    const [early, late, unwritten] = [store.keep(entry, 1, []), store.keep(entry, 1, []), store.keep(entry, 1, [])];
    early?.write(content);
    early?.abort();
    unwritten?.abort();
    late?.write(content);
    await until(() => store.files().length === 1 && statSync(join(store.folder, store.files()[0]!)).size > 0);
    expect(await find(store, entry)).toBeUndefined();
    late?.abort();
    await store.close();
    expect(await find(store, entry)).toBeUndefined();
    expect(store.files()).toEqual([]);
    expect(store.errors).toEqual([]);
  });

  it('is never met by an entry with another checksum or path', async () => {
    const store = aStore();
    await keep(store, entry, content);
    expect(await find(store, describing(someBytes(3)))).toBeUndefined();
    expect(await find(store, describing(content, { path: '/other.rpm' }))).toBeUndefined();
    expect(await find(store, { ...entry, revision: 9, url: 'http://elsewhere/' })).toBeDefined();
  });

  it.each([
    'bear',
    'bear.r p',
    `bear.${'x'.repeat(300)}`,
    '..',
    'a.b/c',
    'bear.rpm\u0000.sh',
    `${'x'.repeat(300)}.rpm`,
  ])('may have a path that ends in %j', async (end) => {
    const store = aStore();
    const odd = describing(content, { path: `/pulp/${end}` });
    await keep(store, odd, content);
    expect(fileOf(await find(store, odd)).startsWith(store.folder)).toBe(true);
    expect(store.errors).toEqual([]);
  });

  it('is written once for any number of simultaneous transfers of an entry', async () => {
    const store = aStore();
    const keepings = Array.from({ length: 20 }, () => store.keep(entry, content.length, []));
    for (const keeping of keepings) writeTo(keeping, content);
    for (const [at, keeping] of keepings.entries()) at % 5 === 4 ? keeping?.abort() : keeping?.commit();
    await store.close();
    expect(store.files()).toHaveLength(1);
    expect(readFileSync(fileOf(await find(store, entry))).equals(content)).toBe(true);
    expect(store.errors).toEqual([]);
  });

  it('stays the first that was committed', async () => {
    const store = aStore();
    await keep(store, entry, content);
    const first = statSync(fileOf(await find(store, entry))).ino;
    await keep(store, entry, content);
    expect(statSync(fileOf(await find(store, entry))).ino).toBe(first);
    expect(store.files()).toHaveLength(1);
  });

  it('replaces one that is not verified', async () => {
    const store = aStore();
    await keep(store, entry, content);
    writeFileSync(fileOf(await find(store, entry)), 'altered');
    const later = store.restart();
    await keep(later, entry, content);
    expect(readFileSync(fileOf(await find(later, entry))).equals(content)).toBe(true);
    expect(later.errors).toEqual([]);
  });

  describe('of content without a catalog checksum', () => {
    const bare = anEntry();

    it('is verified with its own checksum, even after a restart', async () => {
      const store = aStore();
      await keep(store, bare, content);
      expect(await find(store, bare)).toMatchObject({ source: aSource('saved') });
      const later = store.restart();
      const file = fileOf(await find(later, bare));
      expect(readFileSync(file).equals(content)).toBe(true);
      writeFileSync(file, content.toReversed());
      expect(await find(later, bare)).toBeUndefined();
      expect(later.files()).toEqual([]);
      expect(later.errors).toEqual([expect.stringMatching(/its sha256 is .*, expected .*; it was removed/)]);
    });

    it('is not met by a later revision', async () => {
      const store = aStore();
      await keep(store, bare, content);
      expect(await find(store, { ...bare, revision: 2 })).toBeUndefined();
    });

    it('is replaced by other content only if it is not verified', async () => {
      const store = aStore();
      const other = someBytes(10);
      await keep(store, bare, content);
      await keep(store, bare, other);
      expect(readFileSync(fileOf(await find(store, bare))).equals(content)).toBe(true);
      const later = store.restart();
      await keep(later, bare, other);
      expect(readFileSync(fileOf(await find(later, bare))).equals(other)).toBe(true);
      expect(later.files()).toHaveLength(1);
    });
  });
});

describe('a copy that was altered', () => {
  const altered = (bytes: Buffer) => bytes.map((byte, at) => (at === 150_000 ? byte ^ 1 : byte));
  const damages: readonly [string, (file: string) => void][] = [
    ['altered', (file) => writeFileSync(file, altered(readFileSync(file)))],
    ['truncated', (file) => truncateSync(file, content.length - 1)],
    ['emptied', (file) => truncateSync(file, 0)],
    ['longer', (file) => writeFileSync(file, 'more', { flag: 'a' })],
    [
      'altered with its times set back',
      (file) => {
        const { atime, mtime } = statSync(file);
        writeFileSync(file, altered(readFileSync(file)));
        utimesSync(file, atime, mtime);
      },
    ],
  ];

  describe.each(damages)('(%s)', (_, damage) => {
    it.each(['at once', 'after a restart'])('is noticed %s, removed and reported', async (when) => {
      const before = aStore();
      await keep(before, entry, content);
      const file = fileOf(await find(before, entry));
      damage(file);
      const store = when === 'at once' ? before : before.restart();
      expect(await find(store, entry)).toBeUndefined();
      expect(existsSync(file)).toBe(false);
      expect(store.errors).toEqual([expect.stringContaining(`${file}: its sha256 is`)]);
    });
  });

  it('is offered again after being kept again', async () => {
    const store = aStore();
    await keep(store, entry, content);
    truncateSync(fileOf(await find(store, entry)), 5);
    await find(store, entry);
    await keep(store, entry, content);
    expect(await find(store, entry)).toBeDefined();
  });

  it('is not treated as missing if it cannot be read', async () => {
    const folder = newFolder();
    const store = aStore({ folder: join(folder, 'store') });
    await keep(store, entry, content);
    const first = store.files()[0]!.split('/')[0]!;
    renameSync(join(store.folder, first), join(store.folder, 'away'));
    writeFileSync(join(store.folder, first), 'no folder');
    await expect(find(store, entry)).rejects.toMatchObject({ code: 'UNREADABLE', source: 'disk' });
  });

  it('is verified in the background if it is large, and offered once verified', async () => {
    const large = someBytes(9_000_000);
    const before = aStore();
    await keep(before, describing(large), large);
    expect(await find(before, describing(large))).toBeDefined();
    // As of an earlier version.
    rewrite(fileOf(await find(before, describing(large))), () => undefined);
    const store = before.restart();
    expect(await find(store, describing(large))).toBeUndefined();
    let candidate: Candidate | undefined;
    while (!candidate) candidate = await find(store, describing(large));
    expect(digestOf(readFileSync(fileOf(candidate)))).toBe(digestOf(large));
    expect(store.errors).toEqual([]);
  });
});

describe('the sums of a copy’s blocks', () => {
  const large = someBytes(3 * MIB + 5);
  const bare = anEntry();
  const kinds: readonly (readonly [string, CatalogEntry])[] = [
    ['with a checksum', describing(large)],
    ['without one', bare],
  ];
  const inSidecar = (file: string) => JSON.parse(readFileSync(sidecarOf(file), 'utf8')).about.blocks;
  const read = async (candidate: Candidate | undefined) => collect(openDisk(usable(candidate!), anAsk()));

  it.each(kinds)('let a later process offer it at once, however large it is: content %s', async (_, entry) => {
    const before = aStore();
    await keep(before, entry, large);
    const store = before.restart();
    const candidate = await find(store, entry);
    const { head, body } = await read(candidate);
    expect(head?.checked).toBe(true);
    expect(body.equals(large)).toBe(true);
    expect(store.errors).toEqual([]);
  });

  it.each(kinds)('reveal what no time shows; the copy is then removed: content %s', async (_, entry) => {
    const before = aStore();
    await keep(before, entry, large);
    const file = fileOf(await find(before, entry));
    rot(file, 2 * MIB);
    const store = before.restart();
    const candidate = await find(store, entry);
    const error = await failureOf(openDisk(usable(candidate!), anAsk()));
    expect(error).toMatchObject({ code: 'CHANGED', source: 'disk' });
    store.failed(candidate!, error);
    expect(await find(store, entry)).toBeUndefined();
    await until(() => store.errors.length > 0);
    expect(store.errors).toEqual([expect.stringContaining(`${file}: its sha256 is`)]);
    expect(filesBelow(store.folder)).toEqual([]);
  });

  it('are not used for a copy that was touched since they were written', async () => {
    const before = aStore();
    await keep(before, describing(large), large);
    const file = fileOf(await find(before, describing(large)));
    utimesSync(file, 1, 1);
    const store = before.restart();
    expect(await find(store, describing(large))).toBeUndefined();
    await until(() => inSidecar(file).modified === '1000000000');
    await until(async () => (await find(store, describing(large))) !== undefined);
    expect(await find(store.restart(), describing(large))).toBeDefined();
    expect(store.errors).toEqual([]);
  });

  const others: readonly (readonly [string, (blocks: Record<string, unknown>) => unknown])[] = [
    ['missing, as in earlier versions', () => undefined],
    ['of blocks of another size', (blocks) => ({ ...blocks, size: 4096 })],
    ['too few', (blocks) => ({ ...blocks, crc32: 'AAAA' })],
    ['of other content', (blocks) => ({ ...blocks, length: 5, crc32: 'AAAAAA==' })],
    ['of no known time', (blocks) => ({ ...blocks, modified: '-' })],
  ];
  it.each(others)('are written when it is next verified if they are %s', async (_, change) => {
    for (const [, entry] of kinds) {
      // So early that a use is not written down.
      const before = aStore({ now: () => 1_000_000 });
      await keep(before, entry, large, headersOfNumber(1));
      const file = fileOf(await find(before, entry));
      const written = inSidecar(file);
      rewrite(file, change);
      utimesSync(sidecarOf(file), 1000, 1000);
      const store = before.restart();
      expect(await find(store, entry)).toBeUndefined();
      let candidate: Candidate | undefined;
      while (!candidate) candidate = await find(store, entry);
      expect((await read(candidate)).body.equals(large)).toBe(true);
      expect(inSidecar(file)).toEqual(written);
      // The time of the sidecar is that of the last use.
      expect(statSync(sidecarOf(file)).mtimeMs).toBe(1_000_000);
      expect(await find(store.restart(), entry)).toMatchObject({ headers: headersOfNumber(1) });
      expect(store.errors).toEqual([]);
    }
  });

  it('are computed again if they are wrong and the bytes right', async () => {
    const before = aStore();
    const entry = describing(large);
    await keep(before, entry, large, headersOfNumber(1));
    const file = fileOf(await find(before, entry));
    const written = inSidecar(file);
    rewrite(file, (blocks) => ({ ...blocks, crc32: Buffer.alloc(49 * 4).toString('base64') }));
    const store = before.restart();
    const candidate = await find(store, entry);
    const error = await failureOf(openDisk(usable(candidate!), anAsk()));
    store.failed(candidate!, error);
    store.failed(candidate!, error);
    let again: Candidate | undefined;
    while (!again) again = await find(store, entry);
    expect(fileOf(again)).toBe(file);
    expect((await read(again)).body.equals(large)).toBe(true);
    expect(inSidecar(file)).toEqual(written);
    expect(store.errors).toEqual([]);
  });

  it('are kept in memory if the sidecar is damaged or missing', async () => {
    for (const damage of [rmSync, (file: string) => writeFileSync(file, '{}')]) {
      const before = aStore();
      await keep(before, entry, content);
      const file = fileOf(await find(before, entry));
      damage(sidecarOf(file));
      const candidate = await find(before.restart(), entry);
      expect((await read(candidate)).head?.checked).toBe(true);
    }
  });

  it('are not doubted for other errors and other sources', async () => {
    const store = aStore();
    await keep(store, describing(large), large);
    const candidate = await find(store, describing(large));
    store.failed(candidate!, new StreamError('UNSATISFIABLE', 'disk', 'test'));
    store.failed({ ...candidate!, source: aSource('feed') }, new StreamError('WRONG_CHECKSUM', 'disk', 'test'));
    expect(await find(store, describing(large))).toBeDefined();
  });
});

describe('a copy that cannot be written', () => {
  it('is abandoned if the disk is slower than the transfer, within its bound, and reports it once', async () => {
    const store = aStore({ backlogLimit: 1_000_000 });
    const keeping = store.keep(entry, undefined, []);
    // Within one turn no bytes can reach the disk.
    for (let i = 0; i < 20; i += 1) keeping?.write(Buffer.alloc(100_000));
    keeping?.commit();
    await store.close();
    expect(store.errors).toEqual([
      'the copy of /pulp/bear.rpm was abandoned: the disk is too slow: the backlog is full',
    ]);
    expect(await find(store, entry)).toBeUndefined();
    await until(() => store.files().length === 0);
    // The space that it took in the backlog is free again.
    await keep(store, entry, content);
    expect(await find(store, entry)).toBeDefined();
  });

  it('may fill the backlog exactly', async () => {
    const store = aStore({ backlogLimit: content.length });
    await keep(store, entry, content);
    expect(await find(store, entry)).toBeDefined();
  });

  const disk = tinyDisk();
  afterAll(() => disk?.free());
  (disk ? it : it.skip)('is abandoned if the disk is full, and leaves nothing (needs mount)', async () => {
    const store = aStore({ folder: disk!.folder });
    await keep(store, entry, someBytes(2_000_000));
    expect(store.errors).toEqual([expect.stringMatching(/^the copy of \/pulp\/bear\.rpm was abandoned: ENOSPC/)]);
    expect(store.files()).toEqual([]);
    await keep(store, entry, content);
    expect(await find(store, entry)).toBeDefined();
  });

  (disk ? it : it.skip)(
    'is not fetched again while the disk is full, and is once it has room (needs mount)',
    async () => {
      let fetched = 0;
      const fetch = (): Observable<never> => {
        fetched += 1;
        return EMPTY;
      };
      const store = aStore({ folder: join(disk!.folder, 'again'), fetch });
      const large = describing(content, { path: '/large.rpm' });
      await keep(store, large, someBytes(2_000_000));
      const filler = join(disk!.folder, 'filler');
      expect(() => writeFileSync(filler, Buffer.alloc(2_000_000))).toThrow('ENOSPC');
      await expect(ended(store.dispatch(saveOf(large)))).rejects.toThrow('the disk is full');
      expect(fetched).toBe(0);
      rmSync(filler);
      await expect(ended(store.dispatch(saveOf(large)))).rejects.toThrow('none could be made');
      expect(fetched).toBe(1);
    },
  );

  it('is not fetched again if its feed is metered', async () => {
    const fetch = () => throwError(() => new Error('fetched'));
    const store = aStore({ fetch, mayFetch: ({ path }) => path !== entry.path });
    await expect(ended(store.dispatch(saveOf(entry)))).resolves.toMatch('its feed is metered');
    await expect(ended(store.dispatch(saveOf(describing(content, { path: '/b' }))))).rejects.toThrow('fetched');
  });
});

describe('dispatch', () => {
  it('completes when the running commit is over, not before', async () => {
    const store = aStore();
    const keeping = store.keep(entry, content.length, []);
    writeTo(keeping, content);
    keeping?.commit();
    expect(await find(store, entry)).toBeUndefined();
    await ended(store.dispatch(saveOf(entry)));
    expect(store.files()).toEqual([expect.stringMatching(/^[0-9a-f]{2}\/[0-9a-f]{62}\.rpm$/)]);
    await ended(store.dispatch(saveOf(entry)));
  });

  it('completes for a copy of an earlier process, if it is right', async () => {
    const before = aStore();
    await keep(before, entry, content);
    await ended(before.restart().dispatch(saveOf(entry)));
    truncateSync(fileOf(await find(before, entry)), 3);
    await expect(ended(before.restart().dispatch(saveOf(entry)))).rejects.toThrow('/pulp/bear.rpm has no copy');
  });

  it('fetches an entry without a copy again, and waits for that', async () => {
    let fetched = 0;
    const fetch = (wanted: CatalogEntry) =>
      defer(() => {
        fetched += 1;
        const keeping = store.keep(wanted, undefined, []);
        writeTo(keeping, content);
        keeping?.commit();
        return EMPTY;
      });
    const store: ReturnType<typeof aStore> = aStore({ fetch });
    await ended(store.dispatch(saveOf(entry)));
    expect(await find(store, entry)).toBeDefined();
    await ended(store.dispatch(saveOf(entry)));
    expect(fetched).toBe(1);
  });

  it('uses the current catalog entries of the path', async () => {
    const newer = someBytes(1000);
    const now = describing(newer, { revision: 2 });
    const fetch = () =>
      defer(() => {
        const keeping = store.keep(now, undefined, []);
        writeTo(keeping, newer);
        keeping?.commit();
        return [now];
      });
    const store: ReturnType<typeof aStore> = aStore({ fetch });
    await expect(ended(store.dispatch(saveOf(entry)))).resolves.toBe('complete');
    expect(await find(store, now)).toBeDefined();
    expect(await find(store, entry)).toBeUndefined();
  });

  it('fails if the fetch fails, yields no copy, or is not possible', async () => {
    const result = (fetch?: SaveStoreOptions['fetch']) => ended(aStore({ fetch }).dispatch(saveOf(entry)));
    await expect(result(() => throwError(() => new Error('feed down')))).rejects.toThrow('feed down');
    await expect(result(() => EMPTY)).rejects.toThrow('/pulp/bear.rpm has no copy, and none could be made');
    await expect(result()).rejects.toThrow('/pulp/bear.rpm has no copy, and none could be made');
  });

  it.each(['NOT_IN_CATALOG', 'NOT_KEPT'] as const)('declines what no later try finds: %s', async (code) => {
    const store = aStore({ fetch: () => throwError(() => new StreamError(code, 'catalog', 'it is gone')) });
    await expect(ended(store.dispatch(saveOf(entry)))).resolves.toBe(
      '/pulp/bear.rpm has no copy, and cannot be fetched by itself: it is gone',
    );
    await keep(store, entry, content);
    await expect(ended(store.dispatch(saveOf(entry)))).resolves.toBe('complete');
  });

  it('stops the fetch when the copy is abandoned', async () => {
    const fetch = (wanted: CatalogEntry) =>
      concat(
        defer(() => {
          store.keep(wanted, undefined, [])?.write(Buffer.alloc(100));
          return EMPTY;
        }),
        NEVER,
      );
    const store: ReturnType<typeof aStore> = aStore({ fetch, backlogLimit: 99 });
    await expect(ended(store.dispatch(saveOf(entry)))).rejects.toThrow('/pulp/bear.rpm has no copy');
  });

  it('cancels the fetch when unsubscribed', async () => {
    let open = 0;
    const fetch = () =>
      defer(() => {
        open += 1;
        return NEVER;
      }).pipe(finalize(() => --open));
    const subscription = aStore({ fetch }).dispatch(saveOf(entry)).subscribe();
    await until(() => open === 1);
    subscription.unsubscribe();
    expect(open).toBe(0);
  });

  it('gives the fetch a valve that closes while the disk is behind', async () => {
    const states: boolean[] = [];
    const fetch = (wanted: CatalogEntry, valve: Observable<boolean>) =>
      defer(() => {
        valve.subscribe((state) => states.push(state));
        const keeping = store.keep(wanted, undefined, []);
        writeTo(keeping, content, 10_000);
        keeping?.commit();
        return EMPTY;
      });
    const store: ReturnType<typeof aStore> = aStore({ fetch, backlogLimit: 2 * content.length - 20_000 });
    await ended(store.dispatch(saveOf(entry)));
    expect(states).toEqual([true, false, true]);
  });
});

describe('a store whose process was killed', () => {
  it.each([1, 3, 20, 61, 150])('has every copy that it had saved, and no wrong one, after %i', async (lines) => {
    const folder = newFolder();
    const said = await runUntilKilled(
      new URL('../../../support/crash/fill-store.ts', import.meta.url),
      [folder],
      lines,
    );
    const saved = said.map((line) => Number(line.split(' ')[1]));
    const store = aStore({ folder });
    expect(store.files().filter((file) => file.startsWith('.partial'))).toEqual([]);

    const offered: number[] = [];
    for (let number = 0; number < Math.max(...saved) + 20; number += 1) {
      const candidate = await find(store, entryOfNumber(number));
      if (!candidate) continue;
      offered.push(number);
      expect(readFileSync(fileOf(candidate)).equals(contentOfNumber(number))).toBe(true);
      expect(candidate.headers).toEqual(headersOfNumber(number));
    }
    expect(offered).toEqual(expect.arrayContaining(saved));
    expect(store.files().filter((file) => !isSidecar(file))).toHaveLength(offered.length);
    expect(store.errors).toEqual([]);
  });
});

const UNSHARE = ['unshare', '--pid', '--fork', '--kill-child'];
/** Namespaces need root. */
const mayUnshare = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0;

describe('files in the making', () => {
  const inTheMaking = async (store: ReturnType<typeof aStore>) => {
    const keeping = store.keep(entry, undefined, []);
    keeping?.write(content);
    await until(() => store.files().length === 1);
    return keeping;
  };

  it('are left as long as their store is open', async () => {
    const store = aStore();
    const keeping = await inTheMaking(store);
    expect(store.restart().files()).toHaveLength(1);
    keeping?.commit();
    await store.close();
    expect(await find(store, entry)).toBeDefined();
  });

  it('are left if their process is alive, whatever its id, and removed once it was killed', async () => {
    const folder = newFolder();
    const half = fileURLToPath(new URL('../../../support/crash/half-store.ts', import.meta.url));
    // As in two containers that share the folder, where each process may have the id 1.
    const [first = '', ...args] = [...(mayUnshare ? UNSHARE : []), process.execPath, half, folder];
    const container = spawn(first, args);
    const [line] = await once(createInterface(container.stdout), 'line');
    expect(line).toMatch(mayUnshare ? / process 1$/ : / process \d+$/);
    expect(aStore({ folder }).files()).toHaveLength(1);
    container.kill('SIGKILL');
    await once(container, 'close');
    expect(aStore({ folder }).files()).toEqual([]);
  });

  it('are removed if their folder has no lock, as those of earlier versions', () => {
    const folder = newFolder();
    for (const owner of [`${process.ppid}-x`, 'nobody']) {
      mkdirSync(join(folder, '.partial', owner), { recursive: true });
      writeFileSync(join(folder, '.partial', owner, 'half'), 'half');
    }
    expect(aStore({ folder }).files()).toEqual([]);
    expect(readdirSync(join(folder, '.partial'))).toEqual([]);
  });

  it('leave nothing when the store is closed, not even a folder', async () => {
    const store = aStore();
    (await inTheMaking(store))?.abort();
    await store.close();
    expect(readdirSync(join(store.folder, '.partial'))).toEqual([]);
  });

  it('are made in a new folder if theirs vanished', async () => {
    const store = aStore();
    const keeping = await inTheMaking(store);
    rmSync(store.folder, { recursive: true });
    keeping?.commit();
    await store.close();
    expect(store.errors).toHaveLength(1);
    await keep(store, entry, content);
    expect(await find(store, entry)).toBeDefined();
    store.keep(describing(someBytes(3)), undefined, []);
    await until(() => store.files().length === 2);
    expect(store.restart().files()).toHaveLength(2);
    expect(store.errors).toHaveLength(1);
  });

  it('do not fail a transfer if no folder can be made', async () => {
    const store = aStore();
    rmSync(store.folder, { recursive: true });
    writeFileSync(store.folder, '');
    expect(store.keep(entry, content.length, [])).toBeUndefined();
    expect(store.errors).toEqual([expect.stringContaining(`no copy of ${entry.path} can be made: `)]);
  });
});

describe('a limit', () => {
  const filesOf = (count: number, size = MIB) =>
    Array.from({ length: count }, (_, at) => {
      const bytes = someBytes(size);
      return { bytes, entry: describing(bytes, { path: `/pulp/${at}.rpm` }) };
    });
  /** A store whose clock advances by a second with every look at it. */
  const limited = (limit: number, options: Partial<SaveStoreOptions> = {}) => {
    let time = 1_700_000_000_000;
    return aStore({ limit, now: () => (time += 1000), ...options });
  };

  it('removes the least recently used copies, and no more than necessary', async () => {
    const store = limited(10 * MIB);
    const files = filesOf(11);
    for (const { bytes, entry } of files.slice(0, 10)) await keep(store, entry, bytes);
    expect(store.files()).toHaveLength(10);
    // The first two are used again.
    expect(await find(store, files[0]!.entry)).toBeDefined();
    expect(await find(store, files[1]!.entry)).toBeDefined();
    await keep(store, files[10]!.entry, files[10]!.bytes);
    await store.close();
    const left = await Promise.all(files.map(async ({ entry }) => (await find(store, entry)) !== undefined));
    expect(left.flatMap((there, at) => (there ? [] : [at]))).toEqual([2, 3]);
    expect(store.errors).toEqual([]);
  });

  it('knows the last uses after a restart, and applies from the start', async () => {
    const store = limited(0);
    const files = filesOf(6);
    for (const { bytes, entry } of files) await keep(store, entry, bytes);
    // Hours later, since a use is written once an hour.
    const later = Date.now() + 86_400_000;
    const next = aStore({ folder: store.folder, limit: 100 * MIB, now: () => later });
    const [used] = files;
    expect(await find(next, used!.entry)).toBeDefined();
    await next.close();
    // Only its times were changed: it is as right as before.
    expect(await find(next, used!.entry)).toBeDefined();
    const last = aStore({ folder: store.folder, limit: 2 * MIB });
    await last.close();
    const left = await Promise.all(files.map(async ({ entry }) => (await find(last, entry)) !== undefined));
    expect(left).toEqual([true, false, false, false, false, false]);
    expect([...next.errors, ...last.errors]).toEqual([]);
  });

  const quiet = tinyDisk();
  afterAll(() => quiet?.free());
  (quiet ? it : it.skip)('does not need a file system that records reads (needs mount)', async () => {
    let time = Date.now();
    const options = { folder: quiet!.folder, now: () => (time += 86_400_000) };
    const store = aStore({ ...options, limit: MIB });
    const files = filesOf(4, 100_000);
    for (const { bytes, entry } of files) await keep(store, entry, bytes);
    const [first] = files;
    expect(
      (await collect(openDisk(usable((await find(store, first!.entry))!), anAsk()))).body.equals(first!.bytes),
    ).toBe(true);
    await store.close();
    const next = aStore({ ...options, limit: 250_000 });
    await next.close();
    const left = await Promise.all(files.map(async ({ entry }) => (await find(next, entry)) !== undefined));
    expect(left).toEqual([true, false, false, true]);
  });

  it('detects a copy that was altered while its use was written', async () => {
    let time = Date.now();
    const store = aStore({ limit: 100 * MIB, now: () => time });
    await keep(store, entry, content);
    // A use is written once an hour.
    time += 86_400_000;
    const file = fileOf(await find(store, entry));
    const { atime, mtime } = statSync(file);
    writeFileSync(file, content.toReversed());
    utimesSync(file, atime, mtime);
    await store.close();
    // Now it is written.
    expect(statSync(sidecarOf(file)).mtimeMs).toBe(time);
    expect(await find(store, entry)).toBeUndefined();
  });

  it('also removes the folders of copies without a checksum', async () => {
    const store = limited(1.5 * MIB);
    const bare = [1, 2].map((at) => anEntry({ path: `/pulp/bare-${at}.rpm` }));
    for (const entry of bare) await keep(store, entry, someBytes(MIB));
    await store.close();
    expect(await find(store, bare[0]!)).toBeUndefined();
    expect(store.files()).toHaveLength(1);
    // Only the two-digit folder of the first is left.
    const folders = readdirSync(store.folder).filter((name) => name !== '.partial');
    expect(folders.flatMap((name) => readdirSync(join(store.folder, name)))).toHaveLength(1);
  });

  describe('that is smaller than the content', () => {
    const large = someBytes(3 * MIB);
    const told = describing(large, { path: '/told.rpm' });
    const done = (path: string) =>
      `${path} is not kept: it exceeds the limit of all copies (save_limit = ${MIB} bytes)`;

    it('keeps none of it, with or without a known length; its save request is completed with a notice', async () => {
      const store = limited(MIB);
      expect(store.keep(told, large.length, [])).toBeUndefined();
      const untold = describing(large, { path: '/untold.rpm' });
      const keeping = store.keep(untold, undefined, []);
      writeTo(keeping, large.subarray(0, MIB + 1));
      // Abandoned at once: copies in the making must not take unlimited disk space either.
      await until(() => store.files().length === 0);
      writeTo(keeping, large.subarray(MIB + 1));
      keeping?.commit();
      for (const entry of [told, untold]) await expect(ended(store.dispatch(saveOf(entry)))).resolves.toBe('complete');
      expect(store.files()).toEqual([]);
      expect(store.errors).toEqual([done('/told.rpm'), done('/untold.rpm')]);
    });

    it.each([
      ['its length', large.length],
      ['more than fits', undefined],
    ])('stops the fetch after %s', async (_, length) => {
      let asked = 0;
      const fetch = (wanted: CatalogEntry) =>
        concat(
          defer(() => {
            const keeping = store.keep(wanted, length, []);
            asked += 1;
            return concat(
              [wanted],
              defer(() => {
                writeTo(keeping, large.subarray(0, MIB + 1));
                return EMPTY;
              }),
            );
          }),
          NEVER,
        );
      const store: ReturnType<typeof aStore> = limited(MIB, { fetch });
      await expect(ended(store.dispatch(saveOf(told)))).resolves.toBe('complete');
      expect(asked).toBe(1);
      expect(store.errors).toEqual([done('/told.rpm')]);
    });
  });

  it('lets a reader of a removed copy read it to its end', async () => {
    const store = limited(2 * MIB);
    const files = filesOf(3);
    await keep(store, files[0]!.entry, files[0]!.bytes);
    const valve = new BehaviorSubject(false);
    const heads = new Subject<void>();
    const candidate = await find(store, files[0]!.entry);
    const reading = collect(openDisk(usable(candidate!), anAsk())(valve).pipe(tap(() => heads.next())));
    await firstValueFrom(heads);
    for (const { bytes, entry } of files.slice(1)) await keep(store, entry, bytes);
    await store.close();
    expect(existsSync(fileOf(candidate))).toBe(false);
    valve.next(true);
    expect((await reading).body.equals(files[0]!.bytes)).toBe(true);
  });
});
