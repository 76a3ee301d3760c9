import { describe, expect, it } from '@jest/globals';
import {
  BehaviorSubject,
  concat,
  defer,
  NEVER,
  type Observable,
  of,
  range,
  Subject,
  type TeardownLogic,
  throwError,
} from 'rxjs';
import {
  concatFlow,
  createFlow,
  type Flow,
  Gate,
  mergeFlow,
  OPEN,
  type Sink,
  switchFlow,
} from '../../../pipelines/index.ts';
import { subscriberOf } from '../../../pipelines/operators/subscriber.ts';
import { marbles } from '../../support/pipeline.ts';
import { twoAtATime } from './merge-flow.diagram.ts';
import { theLatest } from './switch-flow.diagram.ts';

const VALVE = { o: true, x: false };
const flowOf = (source: Observable<string>): Flow<string> =>
  createFlow((sink) => {
    const subscription = source.subscribe(sink);
    return { pause: () => {}, resume: () => {}, close: () => subscription.unsubscribe() };
  });

describe('mergeFlow', () => {
  it('keeps a value until one of its flows has ended', () => marbles(twoAtATime.holds));

  it('runs no more flows at a time than it may', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const flows: Record<string, ReturnType<typeof cold<string>>> = {
        a: cold('   1---2-----|'),
        b: cold('   -3|'),
        c: cold('     -4-----|'),
      };
      const source = cold('(abc|)');
      expectObservable(mergeFlow(2, (name: string) => () => flows[name]!)(() => source)(OPEN)).toBe('13-42-----|');
      expectSubscriptions(flows.a!.subscriptions).toBe('^---------!');
      expectSubscriptions(flows.b!.subscriptions).toBe('^-!');
      expectSubscriptions(flows.c!.subscriptions).toBe('--^------!');
    }));

  it('pauses its source while it may begin nothing', () =>
    marbles(({ cold, hot, expectObservable }) => {
      let given: Observable<boolean> = NEVER;
      const source: Flow<string> = (valve) => {
        given = valve;
        return cold('-a-a---------');
      };
      const result = mergeFlow(2, () => () => cold('1----|'))(source)(hot('o----------x-o', VALVE));
      expectObservable(result).toBe('-1-1');
      expectObservable(
        defer(() => given),
        '------------- !',
      ).toBe('o--x--o----x-o'.slice(0, 13), VALVE);
    }));

  it('gives all flows the valve of its consumer', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const each = (name: string) => flowOf(cold(`${name}-${name}|`));
      const valve = hot('o-x------o------', VALVE);
      expectObservable(mergeFlow(2, each)(() => cold('-(ab)|'))(valve)).toBe('-(ab)----(ab|)');
    }));

  it('emits nothing of one flow once the consumer has closed the valve within a value of another', () => {
    const valve = new Gate(true);
    const seen: string[] = [];
    const sinks: Sink<string>[] = [];
    const each = () =>
      createFlow<string>((sink) => {
        sinks.push(sink);
        return { pause: () => {}, resume: () => {}, close: () => {} };
      });
    mergeFlow(
      2,
      each,
    )(() => of(1, 2))(valve).subscribe((value) => {
      seen.push(value);
      valve.next(false);
    });
    valve.next(false);
    for (const [index, sink] of sinks.entries()) sink.next(`${index}`);
    valve.next(true);
    expect(seen).toEqual(['0']);
    valve.next(true);
    expect(seen).toEqual(['0', '1']);
  });

  it('begins no flow while the valve is closed', () => {
    const begun: string[] = [];
    const valve = new Gate(false);
    const each = (name: string) => {
      begun.push(name);
      return () => of(name);
    };
    mergeFlow(2, each)(() => of('a', 'b', 'c'))(valve).subscribe();
    expect(begun).toEqual([]);
    valve.next(true);
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('errors at once with a flow, and with its source after the flows of its values', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const other = cold('-----');
      const flows: Record<string, Observable<string>> = { a: cold('--#'), b: other, c: cold('1--2|') };
      expectObservable(mergeFlow(2, (name: string) => () => flows[name]!)(() => cold('(ab)'))(OPEN)).toBe('--#');
      expectSubscriptions(other.subscriptions).toBe('^-!');
      expectObservable(mergeFlow(2, (name: string) => () => flows[name]!)(() => cold('c#'))(OPEN)).toBe('1--2#');
    }));

  it('leaves everything when unsubscribed', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const [source, one] = [cold<string>('(aa)---'), cold<string>('1------')];
      const valve = hot('----', VALVE);
      expectObservable(concatFlow(() => () => one)(() => source)(valve), '^--!').toBe('1--');
      expectSubscriptions(source.subscriptions).toBe('^--!');
      expectSubscriptions(one.subscriptions).toBe('^--!');
      expectSubscriptions(valve.subscriptions).toBe('^--!');
    }));

  it('turns an exception of `project` into its error', () => {
    const errors: unknown[] = [];
    const broken = concatFlow((): Flow<string> => {
      throw new Error('no flow');
    });
    broken(() => of('a'))(OPEN).subscribe({ error: (error) => errors.push(`${error}`) });
    expect(errors).toEqual(['Error: no flow']);
  });

  it('retains a value while it waits, and until its flow was made', () => {
    const log: string[] = [];
    const lending = {
      retain: (value: string) => log.push(`retain ${value}`),
      release: (value: string) => log.push(`release ${value}`),
    };
    const valve = new Gate(false);
    const flows: Flow<string> = concatFlow((value: string) => {
      log.push(`make ${value}`);
      return () => NEVER;
    }, lending)(() => concat(of('a', 'b', 'c'), NEVER));
    const subscription = flows(valve).subscribe();
    log.push('open');
    valve.next(true);
    log.push('leave');
    subscription.unsubscribe();
    expect(log).toEqual([
      ...['retain a', 'retain b', 'retain c', 'open', 'make a', 'release a'],
      ...['leave', 'release b', 'release c'],
    ]);
  });

  it.each([
    ['mergeFlow', mergeFlow(2, (value: number) => () => of(value))],
    ['switchFlow', switchFlow((value: number) => () => of(value))],
  ])('keeps nothing of a flow that has ended: %s', (_, operator) => {
    const source = new Subject<number>();
    const owned = new Set<unknown>();
    const out = subscriberOf<number>({ next: () => {}, error: () => {}, complete: () => {} });
    const [add, remove] = [out.add.bind(out), out.remove.bind(out)];
    Object.assign(out, {
      add: (teardown: TeardownLogic) => {
        owned.add(teardown);
        add(teardown);
      },
      remove: (teardown: Exclude<TeardownLogic, void>) => {
        owned.delete(teardown);
        remove(teardown);
      },
    });
    operator(() => source)(OPEN).subscribe(out);
    const before = owned.size;
    for (let value = 0; value < 10; value += 1) source.next(value);
    expect(owned.size).toBe(before);
  });

  it('nests nothing, however many values wait for an open valve', () => {
    let last = 0;
    const valve = new Gate(false);
    concatFlow((value: number) => () => of(value))(() => range(1, 100_000))(valve).subscribe((value) => {
      last = value;
    });
    valve.next(true);
    expect(last).toBe(100_000);
  });

  it('nests nothing, however many flows end at once', () => {
    let last = 0;
    const many: Flow<number> = createFlow((sink) => {
      for (let at = 1; at <= 100_000; at++) sink.next(at);
      sink.complete();
      return { pause: () => {}, resume: () => {}, close: () => {} };
    });
    concatFlow((value: number) => () => of(value))(many)(OPEN).subscribe((value) => {
      last = value;
    });
    expect(last).toBe(100_000);
  });
});

describe('concatFlow', () => {
  it('runs one flow after the other', () =>
    marbles(({ cold, expectObservable }) => {
      expectObservable(concatFlow((name: string) => () => cold(`${name}--${name}|`))(() => cold('(ab|)'))(OPEN)).toBe(
        'a--ab--b|',
      );
    }));
});

describe('switchFlow', () => {
  it('runs the flow of the latest value', () => marbles(theLatest.holds));

  it('leaves a flow for the next one, and completes with the last', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const each = cold('1-2-3-4|');
      expectObservable(switchFlow(() => () => each)(() => cold('a----b----|'))(OPEN)).toBe('1-2-31-2-3-4|');
      expectSubscriptions(each.subscriptions).toBe(['^----!', '-----^------!']);
    }));

  it('completes with its source if no flow runs, and errors with both', () =>
    marbles(({ cold, expectObservable }) => {
      expectObservable(switchFlow(() => () => cold('1|'))(() => cold('a---|'))(OPEN)).toBe('1---|');
      expectObservable(switchFlow(() => () => cold('1-'))(() => cold('a---#'))(OPEN)).toBe('1---#');
      expectObservable(switchFlow(() => () => throwError(() => 'error'))(() => cold('-a---'))(OPEN)).toBe('-#');
    }));

  it('leaves the source and the latest flow when unsubscribed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const [source, each] = [cold('a--b------'), cold('1---------')];
      expectObservable(switchFlow(() => () => each)(() => source)(OPEN), '^----!').toBe('1--1--');
      expectSubscriptions(source.subscriptions).toBe('^----!');
      expectSubscriptions(each.subscriptions).toBe(['^--!', '---^-!']);
    }));

  it('gives its flow the valve, and drops what the one before it holds', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const flows: Record<string, Observable<string>> = { a: cold('-1-2'), b: cold('---3') };
      const each = (name: string) => flowOf(flows[name]!);
      const valve = new BehaviorSubject(true);
      hot('o-x------o--', VALVE).subscribe(valve);
      expectObservable(switchFlow(each)(() => cold('a---b'))(valve)).toBe('-1-------3--');
    }));
});
