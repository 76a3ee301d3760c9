import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { someBytes } from '../../../support/collect.ts';
import { describing, keep, stores, writeTo } from '../../../support/stores.ts';
import { tinyDisk } from '../../../support/tiny-disk.ts';
import { until } from '../../../support/until.ts';

const { aStore } = stores();
const content = someBytes(300_000);
const entry = describing(content);
/** What time it is in all stores. */
const NOW = 1_700_000_000_000;
const now = () => NOW;

describe('how far a copy is', () => {
  it('is what it was given, and what the disk has, until it is in its place', async () => {
    const store = aStore({ now });
    const keeping = store.keep(entry, content.length, []);
    writeTo(keeping, content.subarray(0, 200_000));
    expect(keeping?.progress).toEqual({ taken: 200_000, written: 0 });
    await until(() => keeping?.progress?.written === 200_000);
    writeTo(keeping, content.subarray(200_000));
    keeping?.commit();
    expect(keeping?.progress).toEqual({ taken: 300_000, written: 200_000, whole: NOW });
    await store.close();
    const kept = { taken: 300_000, written: 300_000, whole: NOW, end: { at: NOW, how: 'kept' } };
    expect(keeping?.progress).toEqual(kept);
  });

  it('says that a right copy was there before', async () => {
    const store = aStore({ now });
    const [first, second] = [store.keep(entry, content.length, []), store.keep(entry, content.length, [])];
    for (const keeping of [first, second]) {
      writeTo(keeping, content);
      keeping?.commit();
    }
    await store.close();
    expect(first?.progress?.end).toEqual({ at: NOW, how: 'kept' });
    expect(second?.progress?.end).toEqual({ at: NOW, how: 'there' });
  });

  it('says that the content was not completed', async () => {
    const store = aStore({ now });
    const keeping = store.keep(entry, content.length, []);
    writeTo(keeping, content.subarray(0, 1000));
    keeping?.abort();
    await store.close();
    expect(keeping?.progress?.end).toEqual({ at: NOW, how: 'dropped' });
  });

  it('says that the content is too large to be kept', async () => {
    const store = aStore({ now, limit: 100_000 });
    const keeping = store.keep(describing(content), undefined, []);
    writeTo(keeping, content);
    keeping?.commit();
    await store.close();
    expect(keeping?.progress?.end).toEqual({ at: NOW, how: 'too-large' });
  });

  it('says why it was given up: the disk is too slow, or refuses it', async () => {
    const store = aStore({ now, backlogLimit: 100_000 });
    const slow = store.keep(entry, content.length, []);
    writeTo(slow, content);
    slow?.commit();
    await store.close();
    const reason = 'the disk is too slow: the backlog is full';
    expect(slow?.progress?.end).toEqual({ at: NOW, how: 'given-up', reason });
  });

  const disk = tinyDisk();
  afterAll(() => disk?.free());
  (disk ? it : it.skip)('says why it was given up: the disk is full (needs mount)', async () => {
    const store = aStore({ now, folder: join(disk!.folder, 'copies') });
    const keeping = store.keep(entry, undefined, []);
    writeTo(keeping, someBytes(2_000_000));
    keeping?.commit();
    await store.close();
    const reason = expect.stringMatching(/^ENOSPC/);
    expect(keeping?.progress?.end).toEqual({ at: NOW, how: 'given-up', reason });
  });

  it('says why it could not be put in its place', async () => {
    const usual = aStore();
    await keep(usual, entry, content);
    const place = String(usual.files()[0]).split('/')[0] ?? '';
    const store = aStore({ now });
    const keeping = store.keep(entry, content.length, []);
    writeTo(keeping, content);
    await until(() => keeping?.progress?.written === content.length);
    writeFileSync(join(store.folder, place), 'in the way');
    keeping?.commit();
    await store.close();
    const reason = expect.stringMatching(/^(ENOTDIR|EEXIST)/);
    expect(keeping?.progress).toMatchObject({ whole: NOW, end: { at: NOW, how: 'given-up', reason } });
  });
});
