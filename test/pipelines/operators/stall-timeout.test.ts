import { describe, it } from '@jest/globals';
import { NEVER } from 'rxjs';
import { stallTimeout } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { marbles } from '../../support/pipeline.ts';
import { silence } from './stall-timeout.diagram.ts';

const timeoutOf5 = { timeoutMs: 5, error: () => 'error' };

describe('stallTimeout', () => {
  it('errors when the source stays silent, counted from its last value', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('a--b---------');
      const result = '     a--b----#';
      expectObservable(source.pipe(under(NEVER, stallTimeout({ ...timeoutOf5 })))).toBe(result);
      expectSubscriptions(source.subscriptions).toBe('^-------!');
    }));

  it('does not count before the first value', () =>
    marbles(({ cold, expectObservable }) => {
      const source = cold('---------a---------');
      expectObservable(source.pipe(under(NEVER, stallTimeout({ ...timeoutOf5 })))).toBe('---------a----#');
    }));

  it('may allow another silence after the first value', () =>
    marbles(({ cold, expectObservable }) => {
      const limits = { firstMs: () => 3, error: (ms: number) => ms };
      const stall = stallTimeout<string>({ ...timeoutOf5, ...limits });
      expectObservable(cold('-a---------').pipe(under(OPEN, stall))).toBe('-a--#', undefined, 3);
      expectObservable(cold('-a-b----c------').pipe(under(OPEN, stall))).toBe('-a-b----c----#', undefined, 5);
    }));

  it('passes on a source that emits in time', () =>
    marbles(({ cold, expectObservable }) => {
      const source = cold('a---b---c---d---|');
      expectObservable(source.pipe(under(NEVER, stallTimeout({ ...timeoutOf5 })))).toBe('a---b---c---d---|');
    }));

  it('does not count while the valve is closed, and restarts when it opens', () => marbles(silence.holds));

  it('stops its timer and leaves source and valve when unsubscribed', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold('a----');
      const valve = hot('  -----');
      expectObservable(source.pipe(under(valve as never, stallTimeout({ ...timeoutOf5 }))), '^--!').toBe('a---');
      expectSubscriptions(source.subscriptions).toBe('^--!');
      expectSubscriptions(valve.subscriptions).toBe('^--!');
    }));
});
