import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import type { CatalogEntry, Header } from '../../../../pipelines/model/index.ts';
import { isSidecar, readSidecar, sidecarChecksum, sidecarOf } from '../../../../src/saves/copies/sidecar.ts';
import type { SaveStore } from '../../../../src/saves/copies/store.ts';
import { someBytes } from '../../../support/collect.ts';
import { contentOfNumber, headersOfNumber } from '../../../support/crash/numbered.ts';
import { filesBelow } from '../../../support/folder.ts';
import { anEntry, aSource } from '../../../support/pipeline.ts';
import { describing, fileOf, find, keep, stores } from '../../../support/stores.ts';

const { newFolder, aStore } = stores();

const content = someBytes(10_000);
const known = describing(content);
const bare = anEntry();
const kinds: readonly (readonly [kind: string, entry: CatalogEntry])[] = [
  ['with a checksum', known],
  ['without one', bare],
];

const SAID: readonly Header[] = [
  ['content-type', 'application/x-rpm'],
  ['Content-Encoding', 'gzip'],
  ['Content-Language', 'de'],
  ['Content-Language', 'en'],
  ['Content-Disposition', 'attachment; filename="\xe9"'],
  ['ETag', 'W/"1"'],
  ['Last-Modified', 'Thu, 01 Jan 2015 00:00:00 GMT'],
];
const OTHERS: readonly Header[] = [
  ['Accept-Ranges', 'bytes'],
  ['Content-Range', 'bytes 0-9999/10000'],
  ['Cache-Control', 'public, s-maxage=86400'],
  ['Repr-Digest', 'sha-256=:x:'],
  ['X-Kept', '1'],
];

/** The head of a copy without the header fields of its transfer. */
const UNSAID = [
  ['Content-Type', 'application/x-rpm'],
  ['ETag', `"${known.checksum?.value}"`],
];

const headersOf = async (store: SaveStore, entry: CatalogEntry) => (await find(store, entry))?.headers;
const sidecarFor = async (store: SaveStore, entry: CatalogEntry) => sidecarOf(fileOf(await find(store, entry)));

describe.each(kinds)('a copy of content %s', (_, entry) => {
  it('is offered with the content fields of its transfer, before a restart and after it', async () => {
    const store = aStore();
    await keep(store, entry, content, [...OTHERS.slice(0, 2), ...SAID, ...OTHERS.slice(2)]);
    expect(await headersOf(store, entry)).toEqual(SAID);
    expect(await headersOf(store.restart(), entry)).toEqual(SAID);
    expect(store.files()).toHaveLength(1);
  });

  it('may have had a transfer without content fields', async () => {
    const store = aStore();
    await keep(store, entry, content, OTHERS);
    expect(await headersOf(store.restart(), entry)).toEqual([]);
  });

  it('costs one read of the sidecar, not one per hit', async () => {
    const store = aStore();
    await keep(store, entry, content, SAID);
    const later = store.restart();
    rmSync(await sidecarFor(later, entry));
    expect(await headersOf(later, entry)).toEqual(SAID);
    expect(await headersOf(store, entry)).toEqual(SAID);
  });

  it('of an earlier version is offered without header fields', async () => {
    const store = aStore();
    await keep(store, entry, content, SAID);
    rmSync(await sidecarFor(store, entry));
    const later = store.restart();
    expect(await find(later, entry)).toMatchObject({ source: aSource('saved'), headers: UNSAID });
    expect(later.errors).toEqual([]);
  });

  it('is removed with its sidecar if it is wrong', async () => {
    const store = aStore();
    await keep(store, entry, content, SAID);
    truncateSync(fileOf(await find(store, entry)), 5);
    expect(await find(store, entry)).toBeUndefined();
    expect(filesBelow(store.folder)).toEqual([]);
  });

  it('that was replaced has the fields of the last transfer', async () => {
    const store = aStore();
    await keep(store, entry, content, SAID);
    const later = store.restart();
    await keep(later, entry, content, headersOfNumber(7));
    expect(await headersOf(later, entry)).toEqual(headersOfNumber(7));
    expect(await headersOf(later.restart(), entry)).toEqual(headersOfNumber(7));
    expect(later.files()).toHaveLength(1);
  });
});

describe('the sidecar of a copy', () => {
  const changed = (file: string, change: (text: string) => string) =>
    writeFileSync(file, change(readFileSync(file, 'utf8')));
  const damages: readonly (readonly [string, (file: string) => void])[] = [
    ['empty', (file) => truncateSync(file)],
    ['cut', (file) => truncateSync(file, 100)],
    ['altered', (file) => changed(file, (text) => text.replace('2015', '2016'))],
    ['not JSON', (file) => writeFileSync(file, 'etag: "1"')],
    ['of another shape', (file) => writeFileSync(file, '{"headers":[["ETag","1"]]}')],
    ['null', (file) => writeFileSync(file, 'null')],
    ['of a later version', (file) => changed(file, (text) => text.replace('"version":1', '"version":2'))],
  ];

  it.each(damages)('has no effect if it is %s', async (_, damage) => {
    const store = aStore();
    await keep(store, known, content, SAID);
    damage(await sidecarFor(store, known));
    const later = store.restart();
    expect(await find(later, known)).toMatchObject({ source: aSource('saved') });
    expect(await headersOf(later, known)).toEqual(UNSAID);
    expect(later.errors).toEqual([]);
  });

  it.each(damages)(
    'is needed if the catalog has no checksum: the copy is not offered if it is %s',
    async (_, damage) => {
      const store = aStore();
      await keep(store, bare, content, SAID);
      damage(await sidecarFor(store, bare));
      const later = store.restart();
      expect(await find(later, bare)).toBeUndefined();
      expect(filesBelow(later.folder)).toEqual([]);
      expect(later.errors).toEqual([expect.stringContaining('its sidecar is damaged; it was removed')]);
      await keep(later, bare, content, SAID);
      expect(await headersOf(later, bare)).toEqual(SAID);
    },
  );

  it.each(kinds)('does not apply to other content %s', async (_, entry) => {
    const store = aStore();
    const other = { ...entry, path: '/other.rpm', ...(entry.checksum && describing(content.subarray(1))) };
    await keep(store, entry, content, SAID);
    await keep(store, other, content.subarray(1), headersOfNumber(2));
    copyFileSync(await sidecarFor(store, other), await sidecarFor(store, entry));
    expect(await headersOf(store.restart(), entry)).toEqual(entry.checksum ? UNSAID : undefined);
  });

  it('is never mistaken for a copy, nor a copy for it', async () => {
    const store = aStore();
    const paths = ['/a', '/a.meta', '/a.json', '/a.meta.json', '/.meta.json'];
    for (const path of paths) {
      await keep(store, describing(content, { path }), content, SAID);
      await keep(store, anEntry({ path }), content, SAID);
    }
    const later = store.restart();
    for (const path of paths) {
      expect(await headersOf(later, describing(content, { path }))).toEqual(SAID);
      expect(await headersOf(later, anEntry({ path }))).toEqual(SAID);
    }
    expect(later.files()).toHaveLength(2 * paths.length);
    expect(later.errors).toEqual([]);
  });

  it.each(kinds)('does not count against the limit, and is removed with its copy: %s', async (_, entry) => {
    const all = [1, 2, 3].map((number) => {
      const bytes = someBytes(1000);
      const path = `/${number}.rpm`;
      return { bytes, entry: entry.checksum ? describing(bytes, { path }) : anEntry({ path }) };
    });
    let time = Date.now();
    const store = aStore({ limit: 3000, now: () => (time += 1000) });
    for (const { bytes, entry } of all) await keep(store, entry, bytes, SAID);
    expect(store.files()).toHaveLength(3);
    const smaller = aStore({ folder: store.folder, limit: 2999 });
    await smaller.close();
    expect(filesBelow(store.folder).map(isSidecar)).toEqual([false, true, false, true]);
    expect(await find(smaller, all[0]!.entry)).toBeUndefined();
    expect(smaller.errors).toEqual([]);
  });

  it.each(kinds)(
    'without a copy is removed by an eviction, unless the copy may be about to appear: %s',
    async (_, entry) => {
      const store = aStore();
      await keep(store, entry, content, SAID);
      const file = fileOf(await find(store, entry));
      rmSync(file);
      const swept = async () => {
        const next = aStore({ folder: store.folder, limit: 1 });
        await next.close();
        expect(next.errors).toEqual([]);
        return !existsSync(sidecarOf(file));
      };
      expect(await swept()).toBe(false);
      const old = Date.now() / 1000 - 3601;
      utimesSync(sidecarOf(file), old, old);
      expect(await swept()).toBe(true);
    },
  );
});

describe('a copy that replaces another one', () => {
  const SCRIPT = fileURLToPath(new URL('../../../support/crash/keep-until-step.ts', import.meta.url));
  const [first, second] = [1, 2];

  /**
   * Keeps the second content over the first one in a process that is killed at a step. Returns
   * whether it was.
   */
  const killedAt = (step: number, folder: string, entry: CatalogEntry, number: number): boolean => {
    const args = [SCRIPT, folder, JSON.stringify(entry), String(number), String(step)];
    const { signal, status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (signal !== 'SIGKILL' && status !== 0) throw new Error(stderr);
    return signal === 'SIGKILL';
  };

  it.each([
    ['another content', anEntry(), first, second],
    ['the same content', describing(contentOfNumber(first)), first, first],
    ['nothing, with a checksum', describing(contentOfNumber(second)), undefined, second],
    ['nothing, without one', anEntry(), undefined, second],
  ])('is right whenever its process is killed: in place of %s', async (_, entry, before, number) => {
    const contents = [before, number];
    const seen = new Set<number | undefined>();
    let steps = 0;
    for (let killed = true; killed; steps += 1) {
      const store = aStore({ folder: join(newFolder(), 'store') });
      if (before) await keep(store, entry, contentOfNumber(before), headersOfNumber(before));
      killed = killedAt(steps + 1, store.folder, entry, number);
      const later = store.restart();
      const candidate = await find(later, entry);
      const bytes = candidate && readFileSync(fileOf(candidate));
      const found = contents.find((one) => one && bytes && contentOfNumber(one).equals(bytes));
      expect(candidate?.headers).toEqual(found && headersOfNumber(found));
      expect(later.files().filter((file) => file.startsWith('.partial'))).toEqual([]);
      expect(later.errors).toEqual([]);
      seen.add(found);
    }
    expect(steps).toBeGreaterThan(10);
    expect(seen).toEqual(new Set(contents));
  });
});

describe('a sidecar that another program wrote, with a right sum', () => {
  const checksum = { algorithm: 'sha256', value: '0'.repeat(64) } as const;
  const right = { checksum, headers: [['ETag', '"a"']] };
  const blocks = { size: 65_536, length: 5, modified: '1', crc32: 'AAAAAA==' };

  const readWith = (about: unknown) => {
    const path = join(newFolder(), 'a.rpm');
    const sum = createHash('sha256').update(JSON.stringify(about)).digest('hex');
    writeFileSync(sidecarOf(path), JSON.stringify({ version: 1, sum, about }));
    return Promise.all([readSidecar({ path, checksum }), sidecarChecksum(path)]);
  };

  it('is read if it has the shape of its version', async () => {
    expect(await readWith(right)).toEqual([{ headers: right.headers }, checksum]);
    expect(await readWith({ ...right, blocks })).toMatchObject([{ blocks: { length: 5 } }, checksum]);
  });

  it.each([
    ['nothing', null],
    ['no checksum', { headers: [] }],
    ['no header fields', { checksum }],
    ['a header field without a value', { checksum, headers: [['ETag']] }],
    ['a checksum that is not a text', { ...right, checksum: { algorithm: 'sha256', value: 1 } }],
    ['sums that are not a text', { ...right, blocks: { ...blocks, crc32: 1 } }],
    ['a length below 0', { ...right, blocks: { ...blocks, length: -1 } }],
  ])('is damaged, and does not make the daemon fail, if it has %s', async (_, about) => {
    expect(await readWith(about)).toEqual(['damaged', undefined]);
  });
});
