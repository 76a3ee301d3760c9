import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { lastValueFrom } from 'rxjs';
import type { CatalogEntry } from '../../../../pipelines/index.ts';
import { someBytes } from '../../../support/collect.ts';
import { objectStores, refusing, saveOf, sumOf } from '../../../support/object-stores.ts';
import { describeObjects } from '../../../support/s3-server.ts';
import { describing, find, writeTo } from '../../../support/stores.ts';
import { until } from '../../../support/until.ts';

const MIB = 1024 * 1024;
const HOUR = 3_600_000;
/** Two parts and a bit. */
const LARGE = someBytes(17 * MIB);
const SMALL = someBytes(100_000);

const openStore = objectStores();

describeObjects('an upload that could not be aborted', () => {
  it('is aborted as soon as the store answers again', async () => {
    const { store, objects, unfinished, noted, pass, troubles } = await openStore('outage');
    objects.meddle(refusing(/^(PUT .*partNumber=2|DELETE)/));
    const keeping = store.keep(describing(LARGE), LARGE.length, []);
    writeTo(keeping, LARGE);
    const asked = () => objects.asked.filter((one) => /^DELETE \/copies\/outage\//.test(one)).length;
    // The client tries three times.
    await until(() => asked() === 3);
    expect([troubles, await unfinished(), noted()]).toEqual([['SOURCE_BUSY'], 1, [`this.${process.pid}.uploads`]]);

    objects.meddle(() => false);
    pass(HOUR);
    expect(await find(store, describing(SMALL))).toBeUndefined();
    await until(async () => (await unfinished()) === 0 && noted().length === 0);
    expect(troubles).toEqual(['SOURCE_BUSY', undefined]);
  });

  it('is aborted by the look for what nothing refers to', async () => {
    const { store, objects, unfinished, noted, errors, troubles } = await openStore('look');
    objects.meddle(refusing(/^DELETE/, 403));
    const keeping = store.keep(describing(LARGE), LARGE.length, []);
    writeTo(keeping, LARGE);
    keeping?.abort();
    await until(() => objects.asked.some((one) => /^DELETE \/copies\/look\//.test(one)));
    const look = () => store.sweep(nothing(), HOUR);
    // It is still forbidden: the next look tries again.
    await until(async () => (await look()) && errors.some((one) => /s3:\/\/copies\/look\/.* 403/.test(one)));
    expect([await unfinished(), noted()]).toEqual([1, [`this.${process.pid}.uploads`]]);
    objects.meddle(() => false);
    await look();
    expect([await unfinished(), noted(), troubles]).toEqual([0, [], []]);
  });
});

describeObjects('content that waits for the store', () => {
  it('is abandoned if there is too much of it, and leaves nothing there', async () => {
    const { store, objects, names, unfinished, errors } = await openStore('slow', { backlogLimit: 16 * MIB });
    const held: (() => void)[] = [];
    objects.meddle(({ url = '' }, response) => {
      if (!url.includes('partNumber=')) return false;
      held.push(() => response.writeHead(503).end());
      return true;
    });
    const entry = describing(LARGE);
    const keeping = store.keep(entry, LARGE.length, []);
    writeTo(keeping, LARGE.subarray(0, 9 * MIB));
    await until(() => held.length > 0);
    expect([errors, await unfinished()]).toEqual([[], 1]);
    writeTo(keeping, LARGE.subarray(9 * MIB));
    expect(errors).toEqual([`the copy of ${entry.path} was abandoned: the store is too slow: the backlog is full`]);
    objects.meddle(() => false);
    for (const answer of held) answer();
    await until(async () => (await unfinished()) === 0);
    keeping?.commit();
    await store.close();
    expect([names(), errors.length]).toEqual([[], 1]);
  });

  it('is not taken from copies under way: a large one is not begun, and is made up for later', async () => {
    const { store, errors } = await openStore('crowded', { backlogLimit: 32 * MIB });
    const part = someBytes(7 * MIB);
    // Slow transfers: none of their parts is full.
    const slow = [1, 2, 3].map((number) => {
      const keeping = store.keep(describing(LARGE, { path: `/${number}.rpm`, unitId: `${number}` }), undefined, []);
      writeTo(keeping, part);
      return keeping;
    });
    const late = describing(LARGE, { path: '/late.rpm', unitId: 'late' });
    expect(store.keep(late, LARGE.length, [])).toBeUndefined();
    const small = store.keep(describing(SMALL), SMALL.length, []);
    expect(small).toBeDefined();
    small?.abort();
    const saved = () => lastValueFrom(store.dispatch(saveOf(late)));
    await expect(saved()).rejects.toThrow('other copies fill the room for what waits for the object store');
    expect(errors).toEqual([]);
    for (const one of slow) one?.abort();
    await store.close();
    const keeping = store.keep(late, LARGE.length, []);
    expect(keeping).toBeDefined();
    keeping?.abort();
  });
});

describeObjects('the copies in a bucket', () => {
  it('are listed to the last, also if they are more than one answer has', async () => {
    const { bucket, objects } = await openStore('many');
    // As the server stores them: a request for each would take long.
    const names = Array.from({ length: 2_100 }, (_, number) => `many/${String(number).padStart(4, '0')}`);
    await bucket.put('0000', SMALL, { sha256: sumOf(SMALL) });
    for (const name of names.slice(1)) writeFileSync(join(objects.folder, name), 'x');
    const listed: string[] = [];
    for await (const { name } of bucket.list()) listed.push(`many/${name}`);
    expect(listed).toEqual(names);
    const after: string[] = [];
    for await (const { name } of bucket.list('1049')) after.push(`many/${name}`);
    expect(after).toEqual(names.slice(1_050));
    expect(objects.asked.filter((one) => /^GET .*list-type=2.*prefix=many%2F/.test(one)).length).toBe(3 + 2);
  });

  it('are read in the background, and one that has rotted goes', async () => {
    const { store, names, objects, errors, save } = await openStore('rotten');
    const [right, wrong] = [describing(SMALL, { path: '/right.rpm' }), describing(LARGE, { path: '/wrong.rpm' })];
    await save(right, SMALL);
    await save(wrong, LARGE);
    const file = names()
      .map((name) => join(objects.folder, name))
      .find((name) => readFileSync(name).length === LARGE.length);
    const rotten = Buffer.from(LARGE);
    rotten.writeUInt8(rotten.readUInt8(9 * MIB) ^ 1, 9 * MIB);
    writeFileSync(file ?? '', rotten);
    const scrubbing = store.scrub(1_000 * MIB).subscribe();
    await until(() => errors.length > 0);
    expect(names().length).toBe(2);
    scrubbing.unsubscribe();
    expect(errors).toEqual([expect.stringMatching(/^s3:\/\/copies\/rotten\/.*: its sha256 is .*; it was removed$/)]);
    expect(await find(store, right)).toBeDefined();
    expect(await find(store, wrong)).toBeUndefined();
  });

  it('go once no entry is of them at two looks, and nothing has used them', async () => {
    const { store, names, pass, save } = await openStore('swept');
    const [kept, gone] = [describing(SMALL, { path: '/kept.rpm' }), describing(LARGE, { path: '/gone.rpm' })];
    await save(kept, SMALL);
    await save(gone, LARGE);
    const look = () => store.sweep(only(kept), HOUR);
    expect(await look()).toEqual({ copies: 0, bytes: 0 });
    pass(2 * HOUR);
    expect(await look()).toEqual({ copies: 1, bytes: LARGE.length });
    expect(names().length).toBe(2);
    expect(await find(store, kept)).toBeDefined();
  });
});

async function* nothing(): AsyncGenerator<never> {}

async function* only(entry: CatalogEntry): AsyncGenerator<CatalogEntry[]> {
  yield [entry];
}
