import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defer, NEVER, type Observable, VirtualTimeScheduler } from 'rxjs';
import type { Valve } from '../../../pipelines/operators/flow.ts';
import { pausable } from '../../../pipelines/operators/pausable.ts';
import { rateLimit } from '../../../pipelines/operators/rate-limit.ts';
import { marbles } from '../../support/pipeline.ts';
import { inParts } from './rate-limit.diagram.ts';

const VALVE = { o: true, x: false };
/** Values are words; a letter has size 1, and `^` passes freely, as a head does. */
const words = (perSecond: number, more: object = {}) =>
  rateLimit<string>({
    perSecond,
    size: (word) => (word === '^' ? 0 : word.length),
    split: (word, size) => [word.slice(0, size), word.slice(size)],
    ...more,
  });
/** 10 a second: one letter every 100 ms. */
const SLOW = 10;

describe('rateLimit', () => {
  it('passes all values on at once while they are slow enough', () =>
    marbles(({ cold, expectObservable }) => {
      const source = cold('a 99ms b 99ms c|');
      expectObservable(words(SLOW)(NEVER, () => source)).toBe('a 99ms b 99ms c|');
    }));

  it('splits values that come too fast, and pauses the source until they have passed', () => marbles(inParts.holds));

  it('completes after the waiting values', () =>
    marbles(({ cold, expectObservable }) => {
      const source = cold('(w|)', { w: 'abcd' });
      expectObservable(words(SLOW)(NEVER, () => source)).toBe('a 99ms b 99ms c 99ms (d|)');
    }));

  it('passes values of size 0 at once, even while others wait', () =>
    marbles(({ cold, expectObservable }) => {
      const limit = words(SLOW);
      expectObservable(limit(NEVER, () => cold('w', { w: 'abc' }))).toBe('a 99ms b 99ms c');
      expectObservable(limit(NEVER, () => cold('-h', { h: '^' }))).toBe('-h', { h: '^' });
    }));

  it('shares its speed in equal parts among the streams that want it', () =>
    marbles(({ cold, expectObservable }) => {
      const limit = words(SLOW);
      const one = limit(NEVER, () => cold('w', { w: 'abc' }));
      const two = limit(NEVER, () => cold('w', { w: 'xy' }));
      expectObservable(one).toBe('a 99ms b 199ms c');
      expectObservable(two).toBe('200ms x 199ms y');
    }));

  it('shares each tick among all waiting streams, not only the first', () =>
    marbles(({ cold, expectObservable }) => {
      const limit = words(10 * SLOW);
      const one = limit(NEVER, () => cold('w', { w: 'a'.repeat(20) }));
      const two = limit(NEVER, () => cold('w', { w: 'b'.repeat(10) }));
      expectObservable(one).toBe('a 99ms b 99ms b', { a: 'aaaaaaaaaa', b: 'aaaaa' });
      expectObservable(two).toBe('100ms b 99ms b', { b: 'bbbbb' });
    }));

  it('gives the share of a stream with a closed valve to the others', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const limit = words(SLOW);
      const valve = hot('x 249ms o', VALVE);
      const one = limit(valve, () => cold('-w', { w: 'ab' }));
      const two = limit(NEVER, () => cold('-w', { w: 'xyz' }));
      expectObservable(two).toBe('-x 98ms y 99ms z');
      expectObservable(one).toBe('300ms a 99ms b');
    }));

  it('passes the consumer’s valve on to the source', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const valve = hot('--x--o--x', VALVE);
      let flow: Observable<boolean> = NEVER;
      const result = words(SLOW)(valve, (handed) => {
        flow = handed;
        return cold('---------|');
      });
      expectObservable(result).toBe('---------|');
      expectObservable(
        defer(() => flow),
        '--------- !',
      ).toBe('o-x--o--x', VALVE);
    }));

  it('errors after the waiting values, and at once if the valve errors', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      expectObservable(words(SLOW)(NEVER, () => cold('(w#)', { w: 'ab' }))).toBe('a 99ms (b#)');
      const source = cold('-----');
      expectObservable(words(SLOW)(cold<boolean>('--#'), () => source)).toBe('--#');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    }));

  it('leaves source, valve and queue at once when unsubscribed, and gives its share to the others', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const limit = words(SLOW);
      const source = cold('w', { w: 'abcdef' });
      const valve = hot('----', VALVE);
      expectObservable(
        limit(valve, () => source),
        '50ms !',
      ).toBe('a');
      expectSubscriptions(source.subscriptions).toBe('^ 49ms !');
      expectSubscriptions(valve.subscriptions).toBe('^ 49ms !');
      expectObservable(limit(NEVER, () => cold('60ms w', { w: 'x' }))).toBe('100ms x');
    }));

  it('is lossless and keeps to its speed, for any values and pauses', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 50 }))), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.integer({ min: 1, max: 5000 }),
        (streams, perSecond) => {
          const time = new VirtualTimeScheduler();
          const limit = words(perSecond, { scheduler: time });
          let passed = 0;
          let fastest = 0;
          const results = streams.map((plan) => {
            const log = { sent: '', came: '', over: false };
            const source = (valve: Valve) =>
              pausable<string>(valve, (sink) => {
                const step = (at: number): void => {
                  const [length, pause] = plan[at] ?? [];
                  if (length === undefined) {
                    sink.complete();
                    return;
                  }
                  log.sent += String(at % 10).repeat(length);
                  sink.next(String(at % 10).repeat(length));
                  time.schedule(() => step(at + 1), pause);
                };
                time.schedule(() => step(0));
                return { pause: () => {}, resume: () => {}, close: () => {} };
              });
            limit(NEVER, source).subscribe({
              next: (word) => {
                log.came += word;
                passed += word.length;
                fastest = Math.max(fastest, passed - (time.now() * perSecond) / 1000);
              },
              complete: () => {
                log.over = true;
              },
            });
            return log;
          });
          time.flush();
          for (const { sent, came, over } of results) {
            expect(came).toBe(sent);
            expect(over).toBe(true);
          }
          // At most two ticks of 100 ms, or two whole values, ahead of the clock.
          expect(fastest).toBeLessThanOrEqual(Math.max(2, perSecond / 5) + 1e-6);
        },
      ),
      { numRuns: 50 },
    );
  });
});
