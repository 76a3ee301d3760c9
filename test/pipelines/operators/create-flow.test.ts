import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BehaviorSubject, NEVER, type Observable, of, Subject, take, throwError } from 'rxjs';
import { createFlow, type Producer, type Sink } from '../../../pipelines/index.ts';
import { marbles } from '../../support/pipeline.ts';
import { heldWhileClosed } from './create-flow.diagram.ts';

/** A producer made from an Observable. It logs how it was controlled. */
const producer = (source: Observable<string>, log: string[] = []) => ({
  log,
  produce: (sink: Sink<string>): Producer => {
    const subscription = source.subscribe(sink);
    return {
      pause: () => log.push('pause'),
      resume: () => log.push('resume'),
      close: () => {
        log.push('close');
        subscription.unsubscribe();
      },
    };
  },
});

const VALVE = { o: true, x: false };

describe('createFlow', () => {
  it('makes no producer for a valve that has failed', () => {
    const seen: unknown[] = [];
    const flow = createFlow<string>(() => {
      seen.push('made');
      return { pause: () => {}, resume: () => {}, close: () => {} };
    });
    flow(throwError(() => 'broken')).subscribe({ error: (error) => seen.push(error) });
    expect(seen).toEqual(['broken']);
  });

  it('ignores what comes after the end, also while the end waits', () => {
    const seen: string[] = [];
    const valve = new BehaviorSubject(false);
    createFlow<string>((sink) => {
      sink.next('a');
      sink.complete();
      sink.ahead('b');
      sink.next('c');
      return { pause: () => {}, resume: () => {}, close: () => {} };
    })(valve).subscribe({ next: (value) => seen.push(value), complete: () => seen.push('|') });
    expect(seen).toEqual([]);
    valve.next(true);
    expect(seen).toEqual(['a', '|']);
  });

  it('retains a value as long as it holds it', () => {
    const log: string[] = [];
    const lending = {
      retain: (value: string) => log.push(`+${value}`),
      release: (value: string) => log.push(`-${value}`),
    };
    const valve = new BehaviorSubject(false);
    createFlow<string>((sink) => {
      sink.next('a');
      return { pause: () => {}, resume: () => {}, close: () => {} };
    }, lending)(valve).subscribe((value) => log.push(value));
    expect(log).toEqual(['+a']);
    valve.next(true);
    expect(log).toEqual(['+a', 'a', '-a']);
  });

  it('passes all values on at once while the valve is open', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold('a-b-c|');
      const valve = hot('  ------', VALVE);
      expectObservable(createFlow(producer(source).produce)(valve)).toBe('a-b-c|');
      expectSubscriptions(source.subscriptions).toBe('^----!');
      expectSubscriptions(valve.subscriptions).toBe('^----!');
    }));

  it('holds values on their way while the valve is closed, in order, without loss', () =>
    marbles(heldWhileClosed.holds));

  it('pauses and resumes the producer with the valve, once per change', () =>
    marbles(({ cold, hot, flush }) => {
      const { log, produce } = producer(cold('a-------------'));
      createFlow(produce)(hot('-xx--oo-x', VALVE)).subscribe();
      flush();
      expect(log).toEqual(['pause', 'resume', 'pause']);
    }));

  it('starts paused if the valve is closed from the beginning', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const { produce } = producer(cold('a-b|'));
      const valve = new BehaviorSubject(false);
      hot('------o', VALVE).subscribe(valve);
      expectObservable(createFlow(produce)(valve)).toBe('------(ab|)');
    }));

  it('completes only after the held values', () =>
    marbles(({ cold, hot, expectObservable }) => {
      expectObservable(createFlow(producer(cold('-a|')).produce)(hot('x----o', VALVE))).toBe('-----(a|)');
    }));

  it('errors only after the held values', () =>
    marbles(({ cold, hot, expectObservable }) => {
      expectObservable(createFlow(producer(cold('-a#')).produce)(hot('x----o', VALVE))).toBe('-----(a#)');
    }));

  it('completes and errors at once while closed when nothing is held', () =>
    marbles(({ cold, hot, expectObservable }) => {
      expectObservable(createFlow(producer(cold('--|')).produce)(hot('x-----', VALVE))).toBe('--|');
      expectObservable(createFlow(producer(cold('--#')).produce)(hot('x-----', VALVE))).toBe('--#');
    }));

  it('delivers `ahead` values while the valve is closed', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const result = createFlow<string>((sink) => {
        cold('-h').subscribe((value) => sink.ahead(value));
        return producer(cold('--a|')).produce(sink);
      })(hot('x----o', VALVE));
      expectObservable(result).toBe('-h---(a|)');
    }));

  it('closes the producer and leaves the valve at once when unsubscribed while paused', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions, flush }) => {
      const source = cold('a-b---------');
      const valve = hot('  -x----------', VALVE);
      const { log, produce } = producer(source);
      expectObservable(createFlow(produce)(valve), '^-----!').toBe('a-----');
      expectSubscriptions(source.subscriptions).toBe('^-----!');
      expectSubscriptions(valve.subscriptions).toBe('^-----!');
      flush();
      expect(log).toEqual(['pause', 'close']);
    }));

  it('does not close a producer that has ended', () => {
    const { log, produce } = producer(of('a', 'b'));
    createFlow(produce)(NEVER).subscribe().unsubscribe();
    expect(log).toEqual([]);
  });

  it('closes a synchronous producer when the consumer leaves while it pushes', () => {
    const { log, produce } = producer(new Subject<string>());
    const got: string[] = [];
    createFlow<string>((sink) => {
      sink.next('a');
      sink.next('b');
      return produce(sink);
    })(NEVER)
      .pipe(take(1))
      .subscribe((value) => got.push(value));
    expect(got).toEqual(['a']);
    expect(log).toEqual(['close']);
  });

  it('delivers no further held value after the consumer leaves', () => {
    const valve = new BehaviorSubject(false);
    const got: string[] = [];
    const { log, produce } = producer(new Subject<string>());
    createFlow<string>((sink) => {
      for (const value of 'abc') sink.next(value);
      return produce(sink);
    })(valve)
      .pipe(take(2))
      .subscribe((value) => got.push(value));
    valve.next(true);
    expect(got).toEqual(['a', 'b']);
    expect(log).toEqual(['pause', 'close']);
  });

  it('stops delivering when the consumer closes the valve in `next`', () => {
    const valve = new BehaviorSubject(true);
    const got: string[] = [];
    const push = new Subject<string>();
    createFlow(producer(push).produce)(valve).subscribe((value) => {
      got.push(value);
      valve.next(false);
    });
    for (const value of 'abc') push.next(value);
    expect(got).toEqual(['a']);
    valve.next(true);
    expect(got).toEqual(['a', 'b']);
    valve.next(true);
    expect(got).toEqual(['a', 'b', 'c']);
  });

  it('keeps the order when the consumer opens the valve from within a delivery', () => {
    const valve = new BehaviorSubject(false);
    const got: string[] = [];
    const push = new Subject<string>();
    createFlow(producer(push).produce)(valve).subscribe((value) => {
      got.push(value);
      if (value === 'a') {
        valve.next(false);
        push.next('c');
        valve.next(true);
      }
    });
    push.next('a');
    push.next('b');
    valve.next(true);
    expect(got).toEqual(['a', 'b', 'c']);
  });

  it("errors with the valve's error and closes the producer", () =>
    marbles(({ cold, hot, expectObservable, flush }) => {
      const { log, produce } = producer(cold('a-------'));
      expectObservable(createFlow(produce)(hot<boolean>('--#'))).toBe('a-#');
      flush();
      expect(log).toEqual(['close']);
    }));

  it('is lossless, ordered, and bounded by the values pushed after a pause, for any valve', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), count: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ kind: fc.constant('valve' as const), open: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 3 }), (steps, leak) => {
        const valve = new BehaviorSubject(true);
        const got: number[] = [];
        let pushed = 0;
        let mayPush = Number.POSITIVE_INFINITY;
        let out: Sink<number> | undefined;
        let completed = false;
        createFlow<number>((sink) => {
          out = sink;
          return {
            pause: () => {
              mayPush = leak;
            },
            resume: () => {
              mayPush = Number.POSITIVE_INFINITY;
            },
            close: () => {},
          };
        })(valve).subscribe({
          next: (value) => {
            if (!valve.value) throw new Error('delivered while closed');
            got.push(value);
          },
          complete: () => {
            completed = true;
          },
        });
        for (const { ...one } of steps) {
          if (one.kind === 'valve') valve.next(one.open);
          else for (let i = 0; i < one.count && mayPush > 0; i++, mayPush--) out?.next(pushed++);
          expect(pushed - got.length).toBeLessThanOrEqual(valve.value ? 0 : leak);
        }
        out?.complete();
        expect(completed).toBe(pushed === got.length);
        valve.next(true);
        expect(completed).toBe(true);
        expect(got).toEqual(Array.from({ length: pushed }, (_, i) => i));
      }),
      { numRuns: 500 },
    );
  });

  it('gives the producer functions, which need no object', () => {
    const seen: unknown[] = [];
    const idle = { pause: () => {}, resume: () => {}, close: () => {} };
    createFlow<string>(({ next, ahead, complete }) => {
      next('a');
      ahead('b');
      complete();
      return idle;
    })(NEVER).subscribe({ next: (value) => seen.push(value), complete: () => seen.push('complete') });
    createFlow<string>(({ error }) => {
      error('broken');
      return idle;
    })(NEVER).subscribe({ error: (error) => seen.push(error) });
    expect(seen).toEqual(['a', 'b', 'complete', 'broken']);
  });
});
