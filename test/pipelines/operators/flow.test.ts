import { describe, expect, it, jest } from '@jest/globals';
import { concat, delay, map, Observable, of, shareReplay } from 'rxjs';
import {
  createFlow,
  deferFlow,
  type Flow,
  flow,
  Gate,
  lift,
  OPEN,
  operate,
  rateLimit,
  stallTimeout,
  under,
  type Valve,
} from '../../../pipelines/index.ts';
import { marbles } from '../../support/pipeline.ts';

const VALVE = { o: true, x: false };
const upper = lift(map((letter: string) => letter.toUpperCase()));
const twice = operate<string, string>((out) => ({
  next: (letter) => {
    out.next(letter);
    out.next(letter);
  },
}));

/** A source that logs the valve that it is given. */
const source = (seen: Valve[]): Flow<string> => {
  return (valve) => {
    seen.push(valve);
    return of('a', 'b');
  };
};

const all = <T>(events: Observable<T>): readonly T[] => {
  const got: T[] = [];
  events.subscribe((value) => got.push(value));
  return got;
};

describe('flow', () => {
  it('is its source if it has no operators', () => {
    const seen: Valve[] = [];
    expect(all(flow(source(seen))(OPEN))).toEqual(['a', 'b']);
    expect(seen).toEqual([OPEN]);
    const itself = source(seen);
    expect(flow(itself)).toBe(itself);
  });

  it('applies operators in their order, whether they are stages or not', () => {
    const suffix = lift(map((letter: string) => `${letter}!`));
    expect(all(flow(source([]), twice, upper, twice, suffix)(OPEN))).toEqual('AAAABBBB'.split('').map((a) => `${a}!`));
  });

  it('applies a stage before and after what is none', () => {
    const stage = (digit: number) =>
      operate<string, string>((out) => ({ next: (letter) => out.next(`${letter}${digit}`) }));
    const other = (digit: number) => lift(map((letter: string) => `${letter}${digit}`));
    expect(all(flow(source([]), stage(1), other(2), stage(3), other(4), stage(5))(OPEN))).toEqual(['a12345', 'b12345']);
  });

  it('gives the valve of its consumer to every operator, and to the source', () => {
    const [seen, valve] = [[] as Valve[], new Gate(true)];
    const watching = operate<string, string>((out, valve) => {
      seen.push(valve);
      return { next: (letter) => out.next(letter) };
    });
    all(flow(source(seen), watching, upper, watching)(valve));
    expect(seen).toEqual([valve, valve, valve]);
  });

  it('gives the valve of an operator that has one of its own to what is before it', () => {
    const [seen, valve] = [[] as Valve[], new Gate(true)];
    all(flow(source(seen), rateLimit({ perSecond: 9, size: () => 1, split: (one) => [one, one] }))(valve).pipe());
    expect(seen).toHaveLength(1);
    expect(seen[0]).not.toBe(valve);
  });

  it('costs one subscription for neighbours that are stages', () => {
    let subscriptions = 0;
    const counted: Flow<string> = () =>
      new Observable((out) => {
        subscriptions += 1;
        out.complete();
      });
    const subscribe = jest.spyOn(Observable.prototype, 'subscribe');
    flow(counted, twice, twice, twice, twice)(OPEN).subscribe();
    const all = subscribe.mock.calls.length;
    subscribe.mockRestore();
    expect({ subscriptions, all }).toEqual({ subscriptions: 1, all: 2 });
  });

  it('pauses its source, and times no silence that its consumer wanted', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const letters = createFlow<string>((sink) => {
        const subscription = cold('a--b----------').subscribe(sink);
        return { pause: () => {}, resume: () => {}, close: () => subscription.unsubscribe() };
      });
      const timed = flow(letters, stallTimeout({ timeoutMs: 5, error: () => 'stalled' }), upper);
      expectObservable(timed(hot('ox------o-----', VALVE))).toBe('A-------B----#', undefined, 'stalled');
    }));
});

describe('an operator of RxJS that pays no attention to a valve', () => {
  const held = (events: Observable<string>): Flow<string> =>
    createFlow((sink) => {
      const subscription = events.subscribe(sink);
      return { pause: () => {}, resume: () => {}, close: () => subscription.unsubscribe() };
    });

  it('lets an operator that holds values emit while the valve is closed', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const late = flow(held(cold('a|')), lift(delay(5)));
      expectObservable(late(hot('-x------o', VALVE))).toBe('-----(a|)');
    }));

  it('may be given its valve first, and combined as an Observable', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const [first, second] = [held(cold('a|')), held(cold('--b|'))];
      const both: Flow<string> = (valve) => concat(first(valve), second(valve));
      expectObservable(both(hot('x--ox---o', VALVE).pipe(shareReplay(1)))).toBe('---a----(b|)');
    }));
});

describe('under', () => {
  it('is the reverse of `lift`', () => {
    const seen: Valve[] = [];
    const watching = operate<string, string>((out, valve) => {
      seen.push(valve);
      return { next: (letter) => out.next(letter) };
    });
    const gate = new Gate(true);
    expect(all(of('a').pipe(under(gate, watching), under(gate, upper)))).toEqual(['A']);
    expect(seen).toEqual([gate]);
  });
});

describe('deferFlow', () => {
  it('makes an Observable for each subscription, and errors with what it throws', () => {
    let made = 0;
    const numbers = deferFlow(() => of(made++))(OPEN);
    expect([...all(numbers), ...all(numbers)]).toEqual([0, 1]);
    const errors: unknown[] = [];
    deferFlow(() => {
      throw new Error('no');
    })(OPEN).subscribe({ error: (error) => errors.push(`${error}`) });
    expect(errors).toEqual(['Error: no']);
  });
});
