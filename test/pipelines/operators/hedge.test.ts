import { describe, expect, it } from '@jest/globals';
import { concat, NEVER, type Observable, of } from 'rxjs';
import { hedge } from '../../../pipelines/index.ts';
import { marbles } from '../../support/pipeline.ts';
import { slowFirst } from './hedge.diagram.ts';

const race = (first: Observable<string>, second: Observable<string>) =>
  hedge({
    first: () => first,
    second: () => second,
    after: 4,
    wins: (value) => value === 'H',
    aside: (error) => `aside ${error}`,
  })(NEVER);

describe('hedge', () => {
  it('never asks the second if the first answers in time', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold(' --H-a-|');
      const second = cold('H-b-|');
      expectObservable(race(first, second)).toBe('--H-a-|');
      expectSubscriptions(second.subscriptions).toBe([]);
    }));

  it('takes the second if it answers first, and leaves the first at once', () => marbles(slowFirst.holds));

  it('leaves the second if the first answers after all', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('  -----H-a-|');
      const second = cold('     --H-b-|');
      expectObservable(race(first, second)).toBe('-----H-a-|');
      expectSubscriptions(second.subscriptions).toBe('----^!');
    }));

  it('lets values that decide nothing pass, and asks the second all the same', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const first = cold('  -n------H-a-|');
      const second = cold('     n-H-b-|');
      expectObservable(race(first, second)).toBe('-n--n-H-b-|');
      expectSubscriptions(first.subscriptions).toBe('^-----!');
      expectSubscriptions(second.subscriptions).toBe('----^-----!');
    }));

  it('errors with a first that fails before the second was asked', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const second = cold('H-b-|');
      expectObservable(race(cold('--#'), second)).toBe('--#');
      expectSubscriptions(second.subscriptions).toBe([]);
    }));

  it('emits the error of one as `aside` while the other may win', () =>
    marbles(({ cold, expectObservable }) => {
      const values = { x: 'aside error', H: 'H', a: 'a', b: 'b' };
      expectObservable(race(cold('------#'), cold('----H-b-|', values))).toBe('------x-H-b-|', values);
      expectObservable(race(cold('--------H-a-|', values), cold('--#'))).toBe('------x-H-a-|', values);
    }));

  it('errors with the last error if both fail', () =>
    marbles(({ cold, expectObservable }) => {
      expectObservable(race(cold('------#'), cold('----#', {}, 'second'))).toBe(
        '------x-#',
        { x: 'aside error' },
        'second',
      );
    }));

  it('errors with the winner’s error', () =>
    marbles(({ cold, expectObservable }) => {
      expectObservable(race(cold('-----H-#'), cold('------H'))).toBe('-----H-#');
    }));

  it('leaves both and the timer when unsubscribed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const [first, second] = [cold<string>('---------'), cold<string>('---------')];
      expectObservable(race(first, second), '^-----!').toBe('-------');
      expectSubscriptions(first.subscriptions).toBe('^-----!');
      expectSubscriptions(second.subscriptions).toBe('----^-!');
      const other = cold<string>('-');
      expectObservable(race(cold('---------'), other), '^-!').toBe('---');
      expectSubscriptions(other.subscriptions).toBe([]);
    }));

  it('accepts a first source that answers synchronously', () => {
    const got: string[] = [];
    race(of('n', 'H', 'a'), concat(of('H', 'b'))).subscribe((value) => got.push(value));
    expect(got).toEqual(['n', 'H', 'a']);
  });
});
