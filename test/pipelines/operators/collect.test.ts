import { describe, expect, it } from '@jest/globals';
import { EMPTY, NEVER, Observable, of, throwError } from 'rxjs';
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
    const asked: number[] = [];
    const sources = [1, 2].map((number) => () => {
      asked.push(number);
      return NEVER;
    });
    listOf(sources).subscribe().unsubscribe();
    expect(asked).toEqual([1]);
  });

  it('does not nest sources that answer at once', () => {
    const lists: string[] = [];
    listOf(Array.from({ length: 100_000 }, () => () => of('a'))).subscribe((list) => lists.push(list));
    expect(lists.map(({ length }) => length)).toEqual([100_000]);
  });
});
