import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BehaviorSubject, type Subscription } from 'rxjs';
import type { Ask, Location, OpenSource, SourceEvent } from '../../pipelines/model/index.ts';
import { OPEN, type Valve } from '../../pipelines/operators/valve.ts';
import { always, anAsk, collect, digestOf, failureOf, someBytes } from '../support/collect.ts';
import { until } from '../support/until.ts';

export interface SourceUnderTest {
  readonly open: OpenSource;
  /** Makes content available under a name. */
  offer(name: string, content: Uint8Array): Promise<Location>;
  /** A location that the source does not have. */
  missing(): Location;
  /** Resolves once the source has released everything for finished requests. */
  freed(): Promise<void>;
  close(): Promise<void>;
}

/** The contract of the port OpenSource, for every implementation. */
export const sourceContract = (name: string, create: () => Promise<SourceUnderTest>): void => {
  describe(`${name} as a source`, () => {
    const content = someBytes(3_000_001);
    let source: SourceUnderTest;
    let location: Location;

    beforeAll(async () => {
      source = await create();
      location = await source.offer('large.bin', content);
    });
    afterAll(() => source.close());

    const open = ({ valve = OPEN, ...ask }: Partial<Ask> & { readonly valve?: Valve } = {}) =>
      source.open(location, anAsk(ask))(valve);

    it('emits one head first, then every byte, then completes', async () => {
      const { head, body, chunks } = await collect(open());
      expect(head).toMatchObject({ type: 'head', from: 0, length: content.length });
      expect(body.equals(content)).toBe(true);
      expect(chunks.length).toBeGreaterThan(1);
      await source.freed();
    });

    it('does nothing before it is subscribed, and the same for each subscription', async () => {
      const events = open();
      const [one, two] = await Promise.all([collect(events), collect(events)]);
      expect(one.body.equals(two.body)).toBe(true);
    });

    it.each([1, 65_536, 1_500_000, 3_000_000])('begins at byte %i', async (from) => {
      const { head, body } = await collect(open({ from }));
      expect(head).toMatchObject({ from, length: content.length });
      expect(body.equals(content.subarray(from))).toBe(true);
    });

    it.each([
      [0, 0],
      [1, 65_536],
      [1_500_000, 1_500_000],
      [2_999_999, 9_999_999],
    ])('has the bytes from %i to %i', async (from, last) => {
      const { head, body } = await collect(open({ from, last }));
      expect(head).toMatchObject({ from, length: content.length });
      // A source that ends after the part states its end: its consumer cuts the rest.
      expect(head?.last ?? content.length - 1).toBe(Math.min(last, content.length - 1));
      expect(body.equals(content.subarray(from, last + 1))).toBe(true);
      await source.freed();
    });

    it.each([1, 100_000, 9_000_000])('has the last %i bytes', async (count) => {
      const { head, body } = await collect(open({ from: -count }));
      const from = Math.max(0, content.length - count);
      expect(head).toMatchObject({ from, length: content.length });
      expect(body.equals(content.subarray(from))).toBe(true);
    });

    it.each([-5, 0, 7])('has all of empty content, for any requested part: from %i', async (from) => {
      const empty = await source.offer('empty-too.bin', new Uint8Array());
      const { head, chunks } = await collect(source.open(empty, anAsk({ from })));
      expect(head).toMatchObject({ from: 0, length: 0 });
      expect(chunks).toEqual([]);
    });

    it('continues if the entity tag is the same, and starts over otherwise', async () => {
      const { head } = await collect(open());
      expect(head?.etag).toMatch(/^".+"$/);
      const same = await collect(open({ from: 2_999_990, ifRange: head?.etag }));
      expect(same.head?.from).toBe(2_999_990);
      expect(same.body.equals(content.subarray(2_999_990))).toBe(true);
      const other = await collect(open({ from: 2_999_990, ifRange: '"other"' }));
      expect(other.head?.from).toBe(0);
      expect(other.body.equals(content)).toBe(true);
    });

    it('has only a head from its exact end on: all bytes had arrived, but not their end', async () => {
      const { head, chunks } = await collect(open({ from: content.length }));
      expect(head).toMatchObject({ from: content.length, length: content.length });
      expect(chunks).toEqual([]);
      await source.freed();
    });

    it('cannot begin after the end', async () => {
      await expect(failureOf(open({ from: content.length + 1 }))).resolves.toMatchObject({
        code: 'UNSATISFIABLE',
        length: content.length,
      });
    });

    it('answers HEAD with only the head', async () => {
      const { head, chunks } = await collect(open({ method: 'HEAD' }));
      expect(head).toMatchObject({ from: 0, length: content.length });
      expect(chunks).toEqual([]);
      await source.freed();
    });

    it('answers HEAD even while the valve is closed', async () => {
      await expect(collect(open({ method: 'HEAD', valve: always(false) }))).resolves.toMatchObject({ chunks: [] });
    });

    it('has empty content too', async () => {
      const empty = await source.offer('empty.bin', new Uint8Array());
      const { head, body } = await collect(source.open(empty, anAsk()));
      expect(head).toMatchObject({ from: 0, length: 0 });
      expect(body).toHaveLength(0);
    });

    it('errors for a missing file', async () => {
      await expect(failureOf(source.open(source.missing(), anAsk()))).resolves.toMatchObject({
        code: 'SOURCE_MISSING',
      });
      await source.freed();
    });

    it('emits its head while the valve is closed, and no chunk before it opens', async () => {
      const valve = new BehaviorSubject(false);
      const seen: string[] = [];
      let over = false;
      open({ valve }).subscribe({ next: (event) => seen.push(event.type), complete: () => (over = true) });
      await until(() => seen.length > 0);
      // Another transfer runs to its end: time enough for a chunk to slip through.
      await collect(open());
      expect(seen).toEqual(['head']);
      valve.next(true);
      await until(() => over);
      expect(seen.length).toBeGreaterThan(1);
    });

    it('loses, doubles and reorders nothing, whenever the valve moves', async () => {
      await fc.assert(
        fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 0, max: 3 })), fc.boolean(), async (waits, initially) => {
          const valve = new BehaviorSubject(initially);
          const chunks: Uint8Array[] = [];
          let over = false;
          let whileClosed = 0;
          open({ valve }).subscribe({
            next: (event) => {
              if (event.type === 'head') return;
              if (!valve.value) whileClosed += 1;
              chunks.push(Buffer.from(event.bytes));
              const wait = waits.next().value;
              // 0: closed and reopened within a chunk; 1: stays open; otherwise closed a while.
              if (wait !== 1) valve.next(false);
              if (wait === 0) valve.next(true);
            },
            complete: () => (over = true),
          });
          await until(() => {
            if (!valve.value && waits.next().value > 1) valve.next(true);
            return over;
          });
          expect(whileClosed).toBe(0);
          expect(digestOf(Buffer.concat(chunks))).toBe(digestOf(content));
        }),
        { numRuns: 15 },
      );
    });

    it('releases everything whenever its subscriber leaves', async () => {
      const moments: readonly ((event: SourceEvent, count: number) => boolean)[] = [
        (event) => event.type === 'head',
        (event) => event.type === 'chunk',
        (_, count) => count === 3,
      ];
      for (const moment of moments) {
        for (const closing of [false, true]) {
          const valve = new BehaviorSubject(true);
          let count = 0;
          await new Promise<void>((resolve, reject) => {
            const subscription: Subscription = open({ valve }).subscribe({
              next: (event) => {
                count += 1;
                if (!moment(event, count)) return;
                if (closing) valve.next(false);
                queueMicrotask(() => {
                  subscription.unsubscribe();
                  resolve();
                });
              },
              error: reject,
              complete: () => reject(new Error('completed before the subscriber left')),
            });
          });
          const sofar = count;
          await source.freed();
          valve.next(false);
          valve.next(true);
          await collect(open({ method: 'HEAD' }));
          expect(count).toBe(sofar);
        }
      }
    });

    it('releases everything if its subscriber leaves at once, or within an event', async () => {
      open().subscribe().unsubscribe();
      const left = new Promise<void>((resolve) => {
        const subscription = open().subscribe((event) => {
          if (event.type !== 'chunk') return;
          subscription.unsubscribe();
          resolve();
        });
      });
      await left;
      await source.freed();
      await expect(collect(open())).resolves.toMatchObject({ head: { from: 0 } });
    });

    it('serves many at once', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, (_, index) => collect(open({ from: index }))));
      for (const [index, { body }] of all.entries()) expect(body.equals(content.subarray(index))).toBe(true);
      await source.freed();
    });
  });
};
