import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defer, NEVER, type Observable, VirtualTimeScheduler } from 'rxjs';
import { createFlow } from '../../../pipelines/operators/create-flow.ts';
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
      expectObservable(words(SLOW)(() => source)(NEVER)).toBe('a 99ms b 99ms c|');
    }));

  it('splits values that come too fast, and pauses the source until they have passed', () => marbles(inParts.holds));

  it('completes after the waiting values', () =>
    marbles(({ cold, expectObservable }) => {
      const source = cold('(w|)', { w: 'abcd' });
      expectObservable(words(SLOW)(() => source)(NEVER)).toBe('a 99ms b 99ms c 99ms (d|)');
    }));

  it('passes values of size 0 at once, even while others wait', () =>
    marbles(({ cold, expectObservable }) => {
      const limit = words(SLOW);
      expectObservable(limit(() => cold('w', { w: 'abc' }))(NEVER)).toBe('a 99ms b 99ms c');
      expectObservable(limit(() => cold('-h', { h: '^' }))(NEVER)).toBe('-h', { h: '^' });
    }));

  it('shares its speed in equal parts among the streams that want it', () =>
    marbles(({ cold, expectObservable }) => {
      const limit = words(SLOW);
      const one = limit(() => cold('w', { w: 'abc' }))(NEVER);
      const two = limit(() => cold('w', { w: 'xy' }))(NEVER);
      expectObservable(one).toBe('a 99ms b 199ms c');
      expectObservable(two).toBe('200ms x 199ms y');
    }));

  it('shares each tick among all waiting streams, not only the first', () =>
    marbles(({ cold, expectObservable }) => {
      const limit = words(10 * SLOW);
      const one = limit(() => cold('w', { w: 'a'.repeat(20) }))(NEVER);
      const two = limit(() => cold('w', { w: 'b'.repeat(10) }))(NEVER);
      expectObservable(one).toBe('a 99ms b 99ms b', { a: 'aaaaaaaaaa', b: 'aaaaa' });
      expectObservable(two).toBe('100ms b 99ms b', { b: 'bbbbb' });
    }));

  it('gives the share of a stream with a closed valve to the others', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const limit = words(SLOW);
      const valve = hot('x 249ms o', VALVE);
      const one = limit(() => cold('-w', { w: 'ab' }))(valve);
      const two = limit(() => cold('-w', { w: 'xyz' }))(NEVER);
      expectObservable(two).toBe('-x 98ms y 99ms z');
      expectObservable(one).toBe('300ms a 99ms b');
    }));

  it('passes the consumer’s valve on to the source', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const valve = hot('--x--o--x', VALVE);
      let flow: Observable<boolean> = NEVER;
      const result = words(SLOW)((handed) => {
        flow = handed;
        return cold('---------|');
      })(valve);
      expectObservable(result).toBe('---------|');
      expectObservable(
        defer(() => flow),
        '--------- !',
      ).toBe('o-x--o--x', VALVE);
    }));

  it('errors after the waiting values, and at once if the valve errors', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      expectObservable(words(SLOW)(() => cold('(w#)', { w: 'ab' }))(NEVER)).toBe('a 99ms (b#)');
      const source = cold('-----');
      expectObservable(words(SLOW)(() => source)(cold<boolean>('--#'))).toBe('--#');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    }));

  it('leaves source, valve and queue at once when unsubscribed, and gives its share to the others', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const limit = words(SLOW);
      const source = cold('w', { w: 'abcdef' });
      const valve = hot('----', VALVE);
      expectObservable(limit(() => source)(valve), '50ms !').toBe('a');
      expectSubscriptions(source.subscriptions).toBe('^ 49ms !');
      expectSubscriptions(valve.subscriptions).toBe('^ 49ms !');
      expectObservable(limit(() => cold('60ms w', { w: 'x' }))(NEVER)).toBe('100ms x');
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
            const source = createFlow<string>((sink) => {
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
            limit(source)(NEVER).subscribe({
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
