import { describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import { Gate, hold } from '../../../pipelines/index.ts';
import { marbles } from '../../support/pipeline.ts';
import { newestTwo } from './hold.diagram.ts';

const VALVE = { o: true, x: false };

describe('hold', () => {
  it('drops those that have waited longest', () => marbles(newestTwo.holds));

  it('drops those that come last', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const held = hold<string>({ limit: 2, overflow: 'newest' })(cold('a-b-c-d------e-|'));
      expectObservable(held(hot('o-x-----o-------', VALVE))).toBe('a-------(bc)-e-|');
    }));

  it('errors at once with an overflow, and leaves the source', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold('a-b-c-d------e-|');
      const error = new RangeError('more than 2 values wait for a closed valve');
      expectObservable(hold<string>({ limit: 2, overflow: 'error' })(source)(hot('o-x-----o', VALVE))).toBe(
        'a-----#',
        undefined,
        error,
      );
      expectSubscriptions(source.subscriptions).toBe('^-----!');
    }));

  it('holds nothing if it may not', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const held = hold<string>({ limit: 0, overflow: 'oldest' })(cold('a-b-c-d-e-|'));
      expectObservable(held(hot('o-x---o----', VALVE))).toBe('a-----d-e-|');
    }));

  it('ends after what it holds', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const holding = hold<string>({ limit: 2, overflow: 'error' });
      expectObservable(holding(cold('-a|'))(hot('x----o', VALVE))).toBe('-----(a|)');
      expectObservable(holding(cold('-a#'))(hot('x----o', VALVE))).toBe('-----(a#)');
    }));

  it('releases what it drops, and what it holds when it is left', () => {
    const held = new Set<string>();
    const lending = { retain: (one: string) => void held.add(one), release: (one: string) => void held.delete(one) };
    const [source, valve] = [new Subject<string>(), new Gate(false)];
    const subscription = hold<string>({ limit: 2, overflow: 'oldest', lending })(source)(valve).subscribe();
    for (const letter of 'abcd') source.next(letter);
    expect([...held]).toEqual(['c', 'd']);
    subscription.unsubscribe();
    expect([...held]).toEqual([]);
    expect(source.observed).toBe(false);
  });
});
