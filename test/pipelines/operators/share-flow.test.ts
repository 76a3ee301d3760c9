import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BehaviorSubject, NEVER, type Observable, Subject, throwError } from 'rxjs';
import { shareFlow } from '../../../pipelines/index.ts';
import type { Valve } from '../../../pipelines/operators/valve.ts';
import { marbles } from '../../support/pipeline.ts';
import { threeSpeeds } from './share-flow.diagram.ts';

const VALVE = { o: true, x: false };
/** Small letters have weight 1. Capitals have weight 0 and pass a closed valve. */
const size = (value: string) => (/[a-z]/.test(value) ? 1 : 0);

interface Way {
  readonly key?: string;
  readonly valve?: Valve;
  readonly fallback?: Observable<string>;
}

const make = ({ window = 100, late = 100, memory = 100 } = {}) => {
  const join = shareFlow<string>({ size, lateJoinWindow: late, window, memory });
  return (source: Observable<string>, { key = 'k', valve = NEVER, fallback = NEVER }: Way = {}) =>
    join({ key, source: () => () => source, fallback: () => fallback, onJoin: 'J' })(valve);
};

describe('shareFlow', () => {
  it('serves consumers of three speeds from one source', () => marbles(threeSpeeds.holds));

  it('subscribes once to a source that several consumers want at the same time', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const join = make();
      const source = cold('        --H-a-b-c-|');
      expectObservable(join(source)).toBe('--H-a-b-c-|');
      expectObservable(join(source)).toBe('J-H-a-b-c-|');
      expectSubscriptions(source.subscriptions).toBe('^---------!');
    }));

  it('keeps sources of different keys apart', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const join = make();
      const source = cold('-a|');
      expectObservable(join(source)).toBe('-a|');
      expectObservable(join(source, { key: 'other' })).toBe('-a|');
      expectSubscriptions(source.subscriptions).toBe(['^-!', '^-!']);
    }));

  it('gives late consumers all values from the first one', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const join = make();
      const source = cold('       --H-a-b------c-|');
      expectObservable(join(source)).toBe('--H-a-b------c-|');
      expectObservable(join(source), '    -------^--------').toBe('-------(JHab)c-|');
      expectSubscriptions(source.subscriptions).toBe('^--------------!');
    }));

  it('opens a new source once the first value was dropped; later consumers share it', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const join = make({ window: 1 });
      const source = cold('             -a----b----c-|');
      expectObservable(join(source)).toBe('-a----b----c-|');
      expectObservable(join(source), '    --------^-------------').toBe('---------a----b----c-|');
      expectObservable(join(source), '    ----------^-----------').toBe('----------(Ja)b----c-|');
      expectSubscriptions(source.subscriptions).toBe(['^------------!', '--------^------------!']);
    }));

  it('keeps values for slow consumers separately from those for late ones', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const join = make({ window: 3, late: 1 });
      const source = cold('                     -a--b--------c|');
      const valve = hot('                       o--x------------o', VALVE);
      expectObservable(join(source)).toBe('       -a--b--------c|');
      expectObservable(join(source, { valve })).toBe('Ja--------------(bc|)');
      // All have “a”, one still needs “b”: the window holds both, the late join window only “a”.
      expectObservable(join(source), '-----^').toBe('-----(Jab)---c|');
      expectSubscriptions(source.subscriptions).toBe('^-------------!');
    }));

  it('opens a new source after the end', () =>
    marbles(({ cold, expectObservable }) => {
      const join = make();
      const source = cold('             -a|');
      expectObservable(join(source)).toBe('-a|');
      expectObservable(join(source), '    ----^--').toBe('-----a|');
    }));

  it('lets a slow consumer take the kept values later, without slowing the others', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const join = make({ window: 3 });
      const source = cold('                     -a-b-c-d-|');
      const valve = hot('                       o-x--------o', VALVE);
      expectObservable(join(source)).toBe('        -a-b-c-d-|');
      expectObservable(join(source, { valve })).toBe('Ja---------(bcd|)');
      expectSubscriptions(source.subscriptions).toBe('^--------!');
    }));

  it('moves a consumer that is behind by more than the window to its fallback at once', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const join = make({ window: 2 });
      const source = cold('                             -a-b-c-d-e-|');
      const alone = cold('                                     -y-z|');
      const valve = hot('                               o-x--------', VALVE);
      expectObservable(join(source)).toBe('                -a-b-c-d-e-|');
      expectObservable(join(source, { valve, fallback: alone })).toBe('Ja------y-z|');
      expectSubscriptions(source.subscriptions).toBe('  ^----------!');
      expectSubscriptions(alone.subscriptions).toBe('   -------^---!');
    }));

  it('never lets a single consumer fall behind: the source waits for it', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const join = make({ window: 1, memory: 1 });
      const valve = hot('                                      x---------o', VALVE);
      // These values were on their way when the valve closed.
      const source = cold('                                    -a-b-c-|');
      expectObservable(join(source, { valve, fallback: throwError(() => 'alone') })).toBe('----------(abc|)');
    }));

  it('keeps less of each source if all sources together exceed the memory', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const join = make({ window: 9, memory: 2 });
      const other = hot('                                o------x', VALVE);
      expectObservable(join(cold('x-y---'), { key: 'other', valve: other })).toBe('x-y---');
      const valve = hot('                                x-------', VALVE);
      const source = cold('                              -a-b-c-d|');
      expectObservable(join(source)).toBe('                 -a-b-c-d|');
      expectObservable(join(source, { valve, fallback: cold('z|') })).toBe('J--z|');
    }));

  it('lets the source run while one of its consumers wants more', () => {
    const seen: boolean[] = [];
    const one = new BehaviorSubject(true);
    const two = new BehaviorSubject(true);
    const join = shareFlow<string>({ size, lateJoinWindow: 9, window: 9, memory: 9 });
    const way = (valve: Valve) =>
      join({
        key: 'k',
        source: () => (shared) => {
          shared.subscribe((open) => seen.push(open));
          return NEVER;
        },
        fallback: () => NEVER,
        onJoin: 'J',
      })(valve).subscribe();
    way(one);
    const second = way(two);
    one.next(false);
    expect(seen).toEqual([true]);
    two.next(false);
    expect(seen).toEqual([true, false]);
    two.next(true);
    expect(seen).toEqual([true, false, true]);
    // A consumer that has left wants nothing.
    second.unsubscribe();
    expect(seen).toEqual([true, false, true, false]);
    one.next(true);
    expect(seen.at(-1)).toBe(true);
    expect(one.observed && !two.observed).toBe(true);
  });

  it('delivers values of weight 0 even while the valve is closed', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const valve = hot('                             x-----------o', VALVE);
      expectObservable(make()(cold('-H-N-a-N-|'), { valve })).toBe('-H-N--------(aN|)');
    }));

  it('keeps the source when the first consumer leaves, and closes it with the last', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const join = make();
      const source = cold('       -a-b-c-d-e-|');
      expectObservable(join(source), '^---!').toBe('-a-b');
      expectObservable(join(source), '^-------!').toBe('Ja-b-c-d');
      expectSubscriptions(source.subscriptions).toBe('^-------!');
    }));

  it('passes an error on to each consumer after all earlier values', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const join = make();
      const source = cold('                    -a-b-#');
      const valve = hot('                      o-x-----o', VALVE);
      expectObservable(join(source)).toBe('       -a-b-#');
      expectObservable(join(source, { valve })).toBe('Ja------(b#)');
    }));

  it('stops a source when its only consumer leaves in `next`', () => {
    const taken: string[] = [];
    const join = make();
    const endless = new Subject<string>();
    const subscription = join(endless).subscribe((value) => {
      taken.push(value);
      if (taken.length === 2) subscription.unsubscribe();
    });
    for (const value of 'abcd') endless.next(value);
    expect(taken).toEqual(['a', 'b']);
    expect(endless.observed).toBe(false);
  });

  it('is lossless, ordered, bounded and cleans up, for any sequence of events', () => {
    const act = fc.oneof(
      { weight: 4, arbitrary: fc.record({ act: fc.constant('push' as const) }) },
      { weight: 2, arbitrary: fc.record({ act: fc.constant('join' as const), open: fc.boolean() }) },
      {
        weight: 4,
        arbitrary: fc.record({
          act: fc.constantFrom('open' as const, 'close' as const, 'leave' as const),
          consumer: fc.nat(9),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), fc.nat(4), (acts, window, late) => {
        const join = shareFlow<number>({ size: () => 1, lateJoinWindow: late, window, memory: 1000 });
        const sources: { subject: Subject<number>; valve: BehaviorSubject<boolean>; next: number }[] = [];
        const consumers: {
          valve: BehaviorSubject<boolean>;
          taken: number[];
          fell?: number;
          leave: () => void;
          over: boolean;
        }[] = [];
        for (const one of acts) {
          if (one.act === 'push') {
            // A source obeys its valve.
            for (const source of sources)
              if (source.subject.observed && source.valve.value) source.subject.next(source.next++);
          } else if (one.act === 'join') {
            const consumer: (typeof consumers)[number] = {
              valve: new BehaviorSubject(one.open),
              taken: [],
              over: false,
              leave: () => {},
            };
            const subscription = join({
              key: 'k',
              source: () => (shared) => {
                const source = { subject: new Subject<number>(), valve: new BehaviorSubject(true), next: 0 };
                shared.subscribe(source.valve);
                sources.push(source);
                return source.subject;
              },
              fallback: () => {
                consumer.fell = consumer.taken.length;
                return NEVER;
              },
              onJoin: -1,
            })(consumer.valve).subscribe((value) => {
              expect(consumer.valve.value || value < 0).toBe(true);
              if (value >= 0) consumer.taken.push(value);
            });
            consumer.leave = () => {
              consumer.over = true;
              subscription.unsubscribe();
            };
            consumers.push(consumer);
          } else {
            const consumer = consumers[one.consumer];
            if (one.act === 'leave') consumer?.leave();
            else consumer?.valve.next(one.act === 'open');
          }
          for (const { taken } of consumers) expect(taken).toEqual(taken.map((_, at) => at));
        }
        const furthest = Math.max(0, ...sources.map(({ next }) => next));
        for (const { taken, fell, valve, over } of consumers) {
          if (fell !== undefined) expect(furthest - fell).toBeGreaterThan(window);
          else if (!over && valve.value) expect(sources.some(({ next }) => next === taken.length)).toBe(true);
        }
        for (const { leave } of consumers) leave();
        for (const { subject } of sources) expect(subject.observed).toBe(false);
      }),
    );
  });

  it('tells its source whether a consumer may have to continue alone', () => {
    const join = shareFlow<string>({ size, lateJoinWindow: 1, window: 4, memory: 100 });
    const source = new Subject<string>();
    let told = (): boolean => false;
    const way = {
      ...{ key: 'k', fallback: () => NEVER, onJoin: 'J' },
      source: (mayFallBehind: () => boolean) => {
        told = mayFallBehind;
        return () => source;
      },
    };
    join(way)(NEVER).subscribe();
    source.next('a');
    // Others may join.
    expect(told()).toBe(true);
    const second = join(way)(NEVER).subscribe();
    source.next('b');
    source.next('c');
    expect(told()).toBe(true);
    second.unsubscribe();
    // Nobody can any more.
    expect(told()).toBe(false);
  });

  it('leaves the source with its last consumer at once if there are no basins, whatever that one has asked for', () => {
    const source = new Subject<string>();
    const join = shareFlow<string>({ size, lateJoinWindow: 9, window: 9, memory: 9 });
    const way = { key: 'k', stays: true, source: () => () => source, fallback: () => NEVER, onJoin: 'J' };
    const only = join(way)(NEVER).subscribe();
    source.next('a');
    only.unsubscribe();
    expect(source.observed).toBe(false);
  });

  it('opens a new source for the next consumer if the last one left before its first value', () => {
    const join = make();
    const source = new Subject<string>();
    const first = join(source).subscribe();
    first.unsubscribe();
    const seen: string[] = [];
    join(source).subscribe((value) => seen.push(value));
    source.next('a');
    expect(seen).toEqual(['a']);
  });
});
