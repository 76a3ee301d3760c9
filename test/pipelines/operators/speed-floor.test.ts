import { describe, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import { speedFloor } from '../../../pipelines/index.ts';
import { marbles } from '../../support/river.ts';
import { tooLittle } from './speed-floor.diagram.ts';

const VALVE = { o: true, x: false };
const oneIn5 = { atLeast: 1, window: 5, size: () => 1, error: () => 'error' };

describe('speedFloor', () => {
  it('errors at the end of the first window in which too little came', () => marbles(tooLittle.holds));

  it('sums up sizes', () =>
    marbles(({ cold, expectObservable }) => {
      const source = cold('a-a--a-a--a---------', { a: 'ab' });
      expectObservable(
        source.pipe(speedFloor({ ...oneIn5, atLeast: 4, size: ({ length }) => length, valve: NEVER })),
      ).toBe('a-a--a-a--a----#', { a: 'ab' });
    }));

  it('does not count before the first value, nor what the valve did then', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('-------a---------');
      const valve = hot('  ---x--o----------', VALVE);
      //                          |    |    |
      const result = '     -------a---------#';
      expectObservable(source.pipe(speedFloor({ ...oneIn5, valve }))).toBe(result);
    }));

  it('does not judge a window in which the valve was closed, be it for a moment', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('a-------------------------');
      const valve = hot('  o-----x------------o------', VALVE);
      //                        |    |    |    |    |
      const result = '     a------------------------#';
      expectObservable(source.pipe(speedFloor({ ...oneIn5, valve }))).toBe(result);
    }));

  it('stops its timer and leaves the valve when unsubscribed', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const valve = hot<boolean>('-------');
      expectObservable(cold('a------').pipe(speedFloor({ ...oneIn5, valve })), '^--!').toBe('a--');
      expectSubscriptions(valve.subscriptions).toBe('^--!');
    }));
});
