import { describe, it } from '@jest/globals';
import { closedTimeout } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { marbles } from '../../support/pipeline.ts';
import { stuckConsumer } from './closed-timeout.diagram.ts';

const VALVE = { o: true, x: false };
const timeoutOf5 = { timeoutMs: 5, error: () => 'error' };

describe('closedTimeout', () => {
  it('errors when the valve stays closed for too long, and leaves source and valve', () =>
    marbles(stuckConsumer.holds));

  it('counts from the first time the valve closes, not from a repeated one', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('----------');
      const valve = hot('  x--x------', VALVE);
      expectObservable(source.pipe(under(valve, closedTimeout({ ...timeoutOf5 })))).toBe('-----#');
    }));

  it('counts again from the first time the valve closes after it was open', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('--------------');
      const valve = hot('  x--o-x--x-----', VALVE);
      expectObservable(source.pipe(under(valve, closedTimeout({ ...timeoutOf5 })))).toBe('----------#');
    }));

  it('forgets each time that the valve closed once it opens', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('------------|');
      const valve = hot('  x-x-o-------', VALVE);
      expectObservable(source.pipe(under(valve, closedTimeout({ ...timeoutOf5 })))).toBe('------------|');
    }));

  it('passes all values on while the valve opens in time', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('a--b--c--d--|');
      const valve = hot('  ox--ox--ox---', VALVE);
      expectObservable(source.pipe(under(valve, closedTimeout({ ...timeoutOf5 })))).toBe('a--b--c--d--|');
    }));
});
