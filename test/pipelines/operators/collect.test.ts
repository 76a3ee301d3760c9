import { describe, expect, it } from '@jest/globals';
import { EMPTY, finalize, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { AtOnce, mappedToMany, NOTHING } from '../../../pipelines/operators/at-once.ts';
import { collect } from '../../../pipelines/operators/collect.ts';
import { marbles } from '../../support/pipeline.ts';

type Options = Omit<Parameters<typeof collect<string>>[2], 'done'>;

/** The list of the values of several sources, as text. */
const listOf = (sources: readonly (() => Observable<string>)[], options: Options = {}): Observable<string> =>
  new Observable((out) =>
    collect(sources, out, {
      ...options,
      done: (values) => {
        out.next(values.join(''));
        out.complete();
      },
    }),
  );

describe('AtOnce', () => {
  it('is an Observable of its values', () =>
    marbles(({ expectObservable }) => {
      expectObservable(new AtOnce(() => ['a', 'b'])).toBe('(ab|)');
      expectObservable(
        new AtOnce(() => {
          throw new Error('broken');
        }),
      ).toBe('#', {}, new Error('broken'));
    }));
});

describe('collect', () => {
  it('asks one source after the other, and lists all values', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('--a-b|');
      const second = cold('    --c|');
      expectObservable(listOf([() => first, () => EMPTY, () => second])).toBe('--------(v|)', { v: 'abc' });
      expectSubscriptions(first.subscriptions).toBe('^----!');
      expectSubscriptions(second.subscriptions).toBe('-----^--!');
    }));

  it('reads sources that are ready, without a subscription', () =>
    marbles(({ cold, expectObservable }) => {
      const ready = new AtOnce<string>(() => ['a', 'b']);
      ready.subscribe = () => {
        throw new Error('subscribed to');
      };
      const upper = mappedToMany(ready, (letter) => [letter.toUpperCase()]);
      const slow = mappedToMany(cold<string>('--c|'), (letter) => [letter.toUpperCase()]);
      const broken = new AtOnce<string>(() => {
        throw new Error('broken');
      });
      const sources = [ready, NOTHING, upper, slow, broken].map((source) => () => source);
      const options = {
        instead: (error: unknown, at: number) => `(${error} ${at})`,
        as: (value: string) => `${value},`,
      };
      expectObservable(listOf(sources, options)).toBe('---(v|)', { v: 'a,b,A,B,C,(Error: broken 4),' });
      expectObservable(listOf([() => broken])).toBe('#', {}, new Error('broken'));
    }));

  it('asks no further source once the values suffice', () =>
    marbles(({ expectObservable }) => {
      const unexpected = () => {
        throw new Error('asked');
      };
      const enough = (values: readonly string[]) => values.length > 0;
      expectObservable(listOf([() => EMPTY, () => of('a'), unexpected], { enough })).toBe('(v|)', { v: 'a' });
    }));

  it('errors with a source, or takes a value in place of the error', () =>
    marbles(({ expectObservable }) => {
      const sources = [() => of('a'), () => throwError(() => 'broken'), () => of('b')];
      expectObservable(listOf(sources)).toBe('#', {}, 'broken');
      const options: Options = { instead: (error, at) => `<${error} ${at}>`, as: (value, at) => value + at };
      expectObservable(listOf(sources, options)).toBe('(v|)', { v: 'a0<broken 1>1b2' });
    }));

  it('errors with an exception of a function, also after a wait', () =>
    marbles(({ cold, expectObservable }) => {
      const failing = () => {
        throw new Error('no list');
      };
      expectObservable(listOf([failing])).toBe('#', {}, new Error('no list'));
      expectObservable(listOf([() => cold<string>('--|'), failing])).toBe('--#', {}, new Error('no list'));
    }));

  it('leaves the current source when unsubscribed, and asks no further one', () => {
    const log: string[] = [];
    const sources = [1, 2].map((number) => () => {
      log.push(`ask ${number}`);
      return NEVER.pipe(finalize(() => log.push(`leave ${number}`)));
    });
    listOf(sources).subscribe().unsubscribe();
    expect(log).toEqual(['ask 1', 'leave 1']);
  });

  it('leaves a source before it asks the next one, also after an error', () => {
    const log: string[] = [];
    const events = [0, 1, 2].map(() => new Subject<string>());
    const sources = events.map((event, number) => () => {
      log.push(`ask ${number}`);
      return event.pipe(finalize(() => log.push(`leave ${number}`)));
    });
    listOf(sources, { instead: () => 'x' }).subscribe();
    events[0]?.complete();
    events[1]?.error('broken');
    events[2]?.complete();
    expect(log).toEqual(['ask 0', 'leave 0', 'ask 1', 'leave 1', 'ask 2', 'leave 2']);
  });

  it('is done once, also if its subscriber has more to do then', () => {
    const lists: string[][] = [];
    const list = new Observable<never>((out) =>
      collect([() => of('a')], out, {
        done: (values) => {
          if (lists.push([...values]) > 1) out.complete();
        },
      }),
    );
    list.subscribe().unsubscribe();
    expect(lists).toEqual([['a']]);
  });

  it('does not nest sources that answer at once', () => {
    const lists: string[] = [];
    listOf(Array.from({ length: 100_000 }, () => () => of('a'))).subscribe((list) => lists.push(list));
    expect(lists.map(({ length }) => length)).toEqual([100_000]);
  });
});
