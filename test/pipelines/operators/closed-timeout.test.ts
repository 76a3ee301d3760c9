import { describe, it } from '@jest/globals';
import { closedTimeout } from '../../../pipelines/index.ts';
import { marbles } from '../../support/river.ts';
import { stuckConsumer } from './closed-timeout.diagram.ts';

const VALVE = { o: true, x: false };
const within5 = { timeoutMs: 5, error: () => 'error' };

describe('patience', () => {
  it('errors when the valve stays closed for too long, and leaves source and valve', () =>
    marbles(stuckConsumer.holds));

  it('counts from the first closing, not from the last', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('----------');
      const valve = hot('  x--x------', VALVE);
      expectObservable(source.pipe(closedTimeout({ ...within5, valve }))).toBe('-----#');
    }));

  it('passes everything on while the valve moves', () =>
    marbles(({ cold, hot, expectObservable }) => {
      const source = cold('a--b--c--d--|');
      const valve = hot('  ox--ox--ox---', VALVE);
      expectObservable(source.pipe(closedTimeout({ ...within5, valve }))).toBe('a--b--c--d--|');
    }));
});
