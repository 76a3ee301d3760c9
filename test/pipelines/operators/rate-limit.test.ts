import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  concat,
  defer,
  ignoreElements,
  merge,
  NEVER,
  Observable,
  of,
  type SchedulerLike,
  VirtualTimeScheduler,
} from 'rxjs';
import { createFlow } from '../../../pipelines/operators/create-flow.ts';
import { rateLimit } from '../../../pipelines/operators/rate-limit.ts';
import { Gate, type Valve } from '../../../pipelines/operators/valve.ts';
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

  it('lets no value pass those of other streams that wait', () =>
    marbles(({ cold, expectObservable }) => {
      const limit = words(10 * SLOW);
      const one = limit(() => cold('w', { w: 'a'.repeat(20) }))(NEVER);
      const two = limit(() => cold('50ms w', { w: 'xyz' }))(NEVER);
      // Half a tick later there are five letters, which both share.
      expectObservable(one).toBe('a 49ms (bc) 46ms (de) 96ms f', {
        ...{ a: 'aaaaaaaaaa', b: 'aa', c: 'a' },
        ...{ d: 'aa', e: 'aa', f: 'aaa' },
      });
      expectObservable(two).toBe('50ms a 49ms b', { a: 'xy', b: 'z' });
    }));

  it('holds what waits while the valve is closed', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const result = words(SLOW)(() => cold('w', { w: 'abc' }))(hot('50ms x 299ms o', VALVE));
      // Two ticks' worth are kept.
      expectObservable(result).toBe('a 349ms b', { a: 'a', b: 'bc' });
    }));

  it('reports each move of its valve to the source once', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const moves = (source: Observable<string>, valve: Valve) => {
        let handed: Valve = NEVER;
        const result = words(SLOW)((inner) => {
          handed = inner;
          return source;
        })(valve);
        return merge(
          result.pipe(ignoreElements()),
          defer(() => handed),
        );
      };
      expectObservable(moves(cold('-----'), hot('-o-x-x-o-o', VALVE))).toBe('o--x---o', VALVE);
      expectObservable(moves(cold('(abc)'), NEVER)).toBe('(ox) 196ms o', VALVE);
    }));

  it('leaves the source paused if the consumer closes its valve within the last value', () => {
    const valve = new Gate(true);
    const time = new VirtualTimeScheduler();
    const moves: boolean[] = [];
    const seen: string[] = [];
    const source = (inner: Valve) =>
      new Observable<string>((out) => {
        inner.subscribe((open) => moves.push(open));
        out.next('ab');
      });
    words(SLOW, { scheduler: time })(source)(valve).subscribe((value) => {
      seen.push(value);
      if (value === 'b') valve.next(false);
    });
    time.flush();
    expect(seen).toEqual(['a', 'b']);
    expect(moves.at(-1)).toBe(false);
  });

  describe('with streams that leave', () => {
    /** A scheduler, and its timers that have not fired. */
    const aClock = () => {
      const time = new VirtualTimeScheduler();
      const timers = new Set<unknown>();
      const schedule = (work: () => void, delay: number) => {
        const timer = time.schedule(() => {
          timers.delete(timer);
          work();
        }, delay);
        timers.add(timer);
        timer.add(() => timers.delete(timer));
        return timer;
      };
      const scheduler = { now: () => time.now(), schedule } as unknown as SchedulerLike;
      return { time, timers, scheduler };
    };

    it('has no timer after the last has left, and keeps it for the others', () => {
      const { time, timers, scheduler } = aClock();
      const limit = words(SLOW, { scheduler });
      const seen: string[] = [];
      const into = (value: string) => {
        seen.push(value);
      };
      const one = limit(() => concat(of('abc'), NEVER))(NEVER).subscribe(into);
      const two = limit(() => concat(of('xyz'), NEVER))(NEVER).subscribe(into);
      expect(timers.size).toBe(1);
      one.unsubscribe();
      expect(timers.size).toBe(1);
      time.flush();
      expect(seen).toEqual(['a', 'x', 'y', 'z']);
      const three = limit(() => concat(of('rst'), NEVER))(NEVER).subscribe(into);
      expect(timers.size).toBe(1);
      three.unsubscribe();
      expect(timers.size).toBe(0);
      two.unsubscribe();
    });

    it('has no timer while the only valve is closed', () => {
      const { timers, scheduler } = aClock();
      const valve = new Gate(true);
      words(SLOW, { scheduler })(() => concat(of('abc'), NEVER))(valve).subscribe();
      expect(timers.size).toBe(1);
      valve.next(false);
      expect(timers.size).toBe(0);
      valve.next(true);
      expect(timers.size).toBe(1);
    });
  });

  it('retains what it holds until its last part has passed, or it is left', () => {
    const time = new VirtualTimeScheduler();
    const log: string[] = [];
    const lending = {
      retain: (value: string) => log.push(`+${value}`),
      release: (value: string) => log.push(`-${value}`),
    };
    const limit = words(SLOW, { scheduler: time, lending });
    limit(() => concat(of('abc'), NEVER))(NEVER).subscribe((value) => log.push(value));
    time.flush();
    expect(log).toEqual(['+abc', 'a', 'b', 'c', '-c']);
    log.length = 0;
    limit(() => concat(of('rst'), NEVER))(NEVER)
      .subscribe()
      .unsubscribe();
    expect(log).toEqual(['+rst', '-rst']);
  });

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
