import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { firstValueFrom, Subject, tap, toArray } from 'rxjs';
import { catalogLease } from '../../src/catalog/lease.ts';
import type { Cataloged, Offer, RefreshStore } from '../../src/catalog/refresh-store.ts';

/** One catalog, as two processes see it. */
export interface StoreUnderTest {
  readonly one: RefreshStore;
  readonly two: RefreshStore;
  /** The URLs of a source's offers, oldest first, including expired ones. */
  urls(sourceId: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

const NOW = 1_500_000_000;
const unitKey = { name: 'bear.iso', checksum: 'd'.repeat(64), size: 3 };
const offer = (sourceId: string, url: string, expiration = NOW + 10): Offer => ({
  sourceId,
  typeId: 'iso',
  unitKey,
  url,
  expiration,
});

const cataloged = (fingerprint: string, expiration: number): Cataloged => ({
  fingerprint,
  paths: [{ path: '', expiration }],
});

/** The contract of RefreshStore, for every implementation. Each test uses separate sources. */
export const refreshStoreContract = (name: string, create: () => Promise<StoreUnderTest>): void => {
  describe(`${name} as the store of refreshes`, () => {
    let made: StoreUnderTest;
    let one: RefreshStore;
    let two: RefreshStore;
    beforeAll(async () => {
      made = await create();
      ({ one, two } = made);
    });
    afterAll(() => made.close());

    /** A complete refresh, except that older offers are still present. */
    const whole = async (sourceId: string, ...urls: readonly string[]) => {
      const refresh = await one.begin(sourceId, NOW);
      const offers = urls.map((url) => offer(sourceId, url));
      await one.add(refresh, offers);
      expect(await one.finish(refresh, cataloged('what', NOW + 10))).toBe(true);
      return refresh;
    };

    it('updates the freshness of a source once a refresh is complete, not before', async () => {
      expect(await two.state('fresh', NOW)).toBeUndefined();
      const refresh = await one.begin('fresh', NOW);
      await one.add(refresh, [offer('fresh', 'file:///a'), offer('fresh', 'file:///gone', NOW - 1)]);
      expect(await two.state('fresh', NOW)).toEqual({ sourceId: 'fresh', leased: false });
      const known: Cataloged = {
        fingerprint: 'what',
        paths: [
          { path: 'a.b/$c/', expiration: NOW + 10 },
          { path: 'b/', expiration: 0, problem: 'it is not there' },
        ],
      };
      expect(await one.finish(refresh, known)).toBe(true);
      expect(await two.state('fresh', NOW)).toEqual({ sourceId: 'fresh', cataloged: known, leased: false });
      expect([await two.count('fresh', NOW), await two.count('nobody', NOW)]).toEqual([1, 0]);
    });

    it('has both new and old offers, until the old ones are removed in portions', async () => {
      await whole('renewed', 'file:///1', 'file:///2', 'file:///3');
      const refresh = await whole('renewed', 'file:///4');
      await whole('other', 'file:///other');
      expect(await made.urls('renewed')).toEqual(['file:///1', 'file:///2', 'file:///3', 'file:///4']);
      expect([await one.retire(refresh, 2), await one.retire(refresh, 2), await one.retire(refresh, 2)]).toEqual([
        2, 1, 0,
      ]);
      expect(await made.urls('renewed')).toEqual(['file:///4']);
      expect(await made.urls('other')).toEqual(['file:///other']);
    });

    it('withdraws only the offers of an abandoned refresh', async () => {
      await whole('failing', 'file:///old');
      const refresh = await one.begin('failing', NOW);
      await one.add(refresh, [offer('failing', 'file:///half')]);
      expect(await made.urls('failing')).toEqual(['file:///old', 'file:///half']);
      await one.abandon(refresh);
      expect(await made.urls('failing')).toEqual(['file:///old']);
      expect(await two.state('failing', NOW)).toMatchObject({ cataloged: cataloged('what', NOW + 10) });
    });

    it('notes why a refresh was abandoned, unless another one has begun since', async () => {
      await whole('dying', 'file:///old');
      const known: Cataloged = { fingerprint: 'what', paths: [{ path: '', expiration: NOW + 10, problem: 'it died' }] };
      await one.abandon(await one.begin('dying', NOW), known);
      expect(await two.state('dying', NOW)).toMatchObject({ cataloged: known });
      const late = await one.begin('dying', NOW);
      const quick = await two.begin('dying', NOW);
      await one.abandon(late, cataloged('late', NOW));
      expect(await two.state('dying', NOW)).toMatchObject({ cataloged: known });
      expect(await two.finish(quick, cataloged('what', NOW + 20))).toBe(true);
      expect(await two.state('dying', NOW)).toMatchObject({ cataloged: cataloged('what', NOW + 20) });
    });

    it('notes when a source is tried again', async () => {
      await one.abandon(await one.begin('put off', NOW), cataloged('what', 0));
      expect(await two.state('put off', NOW)).not.toHaveProperty('nextTry');
      await one.putOff('put off', NOW + 60.5);
      await one.putOff('nobody', NOW);
      expect(await two.state('put off', NOW)).toMatchObject({ cataloged: cataloged('what', 0), nextTry: NOW + 60.5 });
      expect(await two.state('nobody', NOW)).toBeUndefined();
    });

    it('keeps the old offers below some folders, and removes the others', async () => {
      const old = ['file:///a/1', 'file:///a/b/2', 'file:///a.b/3', 'file:///c/4', 'file:///A/5', 'file:///a'];
      await whole('partly', ...old);
      const refresh = await whole('partly', 'file:///c/new');
      const kept = ['file:///a/', 'file:///none/'];
      expect([await one.retire(refresh, 3, kept), await one.retire(refresh, 3, kept)]).toEqual([3, 1]);
      expect(await one.retire(refresh, 3, kept)).toBe(0);
      expect(await made.urls('partly')).toEqual(['file:///a/1', 'file:///a/b/2', 'file:///c/new']);
    });

    it('keeps a complete refresh, even if it is abandoned afterwards', async () => {
      await one.abandon(await whole('late', 'file:///a'));
      expect(await made.urls('late')).toEqual(['file:///a']);
    });

    it('removes the offers of a dead refresh once the next one begins', async () => {
      await whole('dead', 'file:///old');
      await one.add(await one.begin('dead', NOW), [offer('dead', 'file:///half')]);
      await two.begin('dead', NOW);
      expect(await made.urls('dead')).toEqual(['file:///old']);
    });

    it('ignores a refresh once another one has begun, without harm to that one', async () => {
      const slow = await one.begin('raced', NOW);
      const quick = await two.begin('raced', NOW);
      await two.add(quick, [offer('raced', 'file:///quick')]);
      expect(await one.finish(slow, cataloged('slow', NOW + 99))).toBe(false);
      await one.abandon(slow);
      expect(await made.urls('raced')).toEqual(['file:///quick']);
      expect(await two.finish(quick, cataloged('quick', NOW + 10))).toBe(true);
    });

    it('purges offers that expired more than an hour ago, in portions', async () => {
      const refresh = await one.begin('purged', NOW);
      const offers = [NOW - 3602, NOW - 3601, NOW - 3600].map((at) => offer('purged', `file:///${at - NOW}`, at));
      await one.add(refresh, offers);
      expect([await one.purge(NOW, 1), await one.purge(NOW, 1), await one.purge(NOW, 1)]).toEqual([1, 1, 0]);
      expect(await made.urls('purged')).toEqual(['file:///-3600']);
    });

    describe('gives a lease on a source', () => {
      const leaseIn = (store: RefreshStore) => catalogLease(store, { now: () => NOW * 1000, duration: 30 });

      it('to one of many simultaneous requests', async () => {
        const holders = Array.from({ length: 8 }, (_, index) => `holder ${index}`);
        const got = await Promise.all(
          holders.map((holder, index) => (index % 2 ? one : two).acquire('wanted', holder, NOW, NOW + 1)),
        );
        expect(got.filter((held) => held)).toHaveLength(1);
        const [holder = ''] = holders.filter((_, index) => got[index]);
        expect(await two.state('wanted', NOW)).toEqual({ sourceId: 'wanted', leased: true });
        await two.release('wanted', 'another holder');
        expect(await two.acquire('wanted', 'another holder', NOW, NOW + 1)).toBe(false);
        expect(await one.acquire('wanted', holder, NOW, NOW + 2)).toBe(true);
        await one.release('wanted', holder);
        expect(await two.acquire('wanted', 'another holder', NOW, NOW + 1)).toBe(true);
      });

      it('to another holder once it is released', async () => {
        const held = new Subject<boolean>();
        const first = firstValueFrom(held);
        const released = new Subject<void>();
        const end = firstValueFrom(released);
        const store: RefreshStore = {
          ...one,
          release: (sourceId, holder) => one.release(sourceId, holder).finally(() => released.next()),
        };
        const holding = leaseIn(store)('back').subscribe(held);
        expect(await first).toBe(true);
        expect(await firstValueFrom(leaseIn(two)('back').pipe(toArray()))).toEqual([false]);
        holding.unsubscribe();
        await end;
        expect(await firstValueFrom(leaseIn(two)('back'))).toBe(true);
      });

      it('to another one when its holder has died', async () => {
        await two.acquire('died', 'somebody', NOW - 60, NOW - 1);
        await two.acquire('lives', 'somebody', NOW - 60, NOW + 1);
        expect(await firstValueFrom(leaseIn(one)('died'))).toBe(true);
        expect(await firstValueFrom(leaseIn(one)('lives'))).toBe(false);
      });

      it('and reports its loss to the former holder', async () => {
        let taking: Promise<boolean> = Promise.resolve(false);
        const states = leaseIn(one)('lost').pipe(
          tap((held) => {
            if (held) taking = two.acquire('lost', 'another', NOW + 60, NOW + 120);
          }),
        );
        expect(await firstValueFrom(states.pipe(toArray()))).toEqual([true, false]);
        expect(await taking).toBe(true);
      });
    });
  });
};
