import { describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { Gate, stallTimeout } from '../../../pipelines/operators/index.ts';
import { flowMarbles, misbehaving } from '../../../pipelines/operators/testing/index.ts';

const equal = (actual: unknown, expected: unknown) => expect(actual).toEqual(expected);

describe('flowMarbles', () => {
  it('has rows of valves', () =>
    flowMarbles(equal, ({ cold, valveOf, expectObservable, expectValve }) => {
      const source = () => cold('   a--b-------------');
      const valve = valveOf('       o----x-----o-----');
      const result = '              a--b------------#';
      expectObservable(stallTimeout({ timeoutMs: 5, error: () => 'error' })(source)(valve)).toBe(result);
      expectValve(valve, '          o----x-----o-----');
    }));

  it('begins with a closed valve if the row does', () =>
    flowMarbles(equal, ({ valveOf }) => {
      const seen: boolean[] = [];
      valveOf('x-o').subscribe((open) => seen.push(open));
      expect(seen).toEqual([false]);
    }));

  it('fails if an expectation does', () => {
    const wrong = () => flowMarbles(equal, ({ expectObservable }) => expectObservable(of('a')).toBe('b'));
    expect(wrong).toThrow();
  });
});

describe('misbehaving', () => {
  it('goes on for a few values after it was paused, and lends its values', () => {
    const valve = new Gate(true);
    const source = misbehaving({ atOnce: 1, leak: 2 });
    const seen: number[] = [];
    const subscription = source.flow(valve).subscribe((value) => {
      expect(value.overwritten).toBe(false);
      seen.push(value.index);
    });
    source.push(2);
    valve.next(false);
    source.push(5);
    expect([seen, source.pushed, source.leaked]).toEqual([[0, 1, 2], 5, 2]);
    valve.next(true);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    subscription.unsubscribe();
    expect(source.closed).toBe(true);
  });
});
