import { describe, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import { speedFloor } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { marbles } from '../../support/pipeline.ts';
import { tooLittle } from './speed-floor.diagram.ts';

const VALVE = { o: true, x: false };
const oneIn5 = { atLeast: 1, window: 5, size: () => 1, error: () => 'error' };

describe('speedFloor', () => {
  it('errors at the end of the first window in which too little came', () => marbles(tooLittle.holds));

  it('adds up sizes', () =>
    marbles(({ cold, expectObservable }) => {
      const source = cold('a-a--a-a--a---------', { a: 'ab' });
      expectObservable(
        source.pipe(under(NEVER, speedFloor({ ...oneIn5, atLeast: 4, size: ({ length }) => length }))),
      ).toBe('a-a--a-a--a----#', { a: 'ab' });
    }));

  it('ignores the time and the valve before the first value', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('-------a---------');
      const valve = hot('  ---x--o----------', VALVE);
      //                          |    |    |
      const result = '     -------a---------#';
      expectObservable(source.pipe(under(valve, speedFloor({ ...oneIn5 })))).toBe(result);
    }));

  it('does not judge a window in which the valve was ever closed', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('a-------------------------');
      const valve = hot('  o-----x------------o------', VALVE);
      //                        |    |    |    |    |
      const result = '     a------------------------#';
      expectObservable(source.pipe(under(valve, speedFloor({ ...oneIn5 })))).toBe(result);
    }));

  it('does not judge a first window that begins with a closed valve', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('-a--------------');
      const valve = hot('  x-o-------------', VALVE);
      //                    |    |    |
      const result = '     -a---------#';
      expectObservable(source.pipe(under(valve, speedFloor({ ...oneIn5, atLeast: 2 })))).toBe(result);
    }));

  it('stops its timer and leaves the valve when unsubscribed', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const valve = hot<boolean>('-------');
      expectObservable(cold('a------').pipe(under(valve, speedFloor({ ...oneIn5 }))), '^--!').toBe('a--');
      expectSubscriptions(valve.subscriptions).toBe('^--!');
    }));
});
