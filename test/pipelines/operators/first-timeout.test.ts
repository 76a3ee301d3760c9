import { describe, it } from '@jest/globals';
import { asyncScheduler } from 'rxjs';
import { firstTimeout } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { marbles } from '../../support/pipeline.ts';
import { lateFirst } from './first-timeout.diagram.ts';

const timeoutOf5 = { timeoutMs: 5, error: () => 'error' };

describe('firstTimeout', () => {
  it('errors when the first value is late', () => marbles(lateFirst.holds));

  it('does not limit the time after the first value', () =>
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('---a------b--------|').pipe(under(OPEN, firstTimeout(timeoutOf5)))).toBe(
        '---a------b--------|',
      );
    }));

  it('does not count after an end without values', () =>
    marbles(({ cold, expectObservable }) => {
      expectObservable(cold('--|').pipe(under(OPEN, firstTimeout(timeoutOf5)))).toBe('--|');
    }));

  it('counts from a later time, and not while there is none', () =>
    marbles(({ cold, expectObservable }) => {
      const dueAt = () => Math.min(asyncScheduler.now(), 12) + 5;
      expectObservable(cold('-').pipe(under(OPEN, firstTimeout({ ...timeoutOf5, dueAt })))).toBe('17ms #', {}, 'error');
    }));

  it('stops its timer and leaves the source when unsubscribed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('----------');
      expectObservable(source.pipe(under(OPEN, firstTimeout(timeoutOf5))), '^--!').toBe('----');
      expectSubscriptions(source.subscriptions).toBe('^--!');
    }));
});
