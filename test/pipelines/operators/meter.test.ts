import { describe, expect, it } from '@jest/globals';
import { NEVER, of, Subject, VirtualTimeScheduler } from 'rxjs';
import { Gate, hysteresis, meter } from '../../../pipelines/index.ts';
import { marbles } from '../../support/pipeline.ts';
import { twoLevels } from './hysteresis.diagram.ts';

describe('meter', () => {
  it('counts values and the time of closed valves, of all its flows', () => {
    const scheduler = new VirtualTimeScheduler();
    const measured = meter<string>({ size: ({ length }) => length, scheduler });
    const [source, one, two] = [new Subject<string>(), new Gate(true), new Gate(false)];
    const subscriptions = [one, two].map((valve) => measured(() => source)(valve).subscribe());
    source.next('abc');
    scheduler.frame = 10;
    one.next(false);
    scheduler.frame = 15;
    const reading = { values: 2, size: 6, running: 2, closed: 2, pauses: 2, closedFor: 20 };
    expect(measured.reading()).toEqual(reading);
    two.next(true);
    for (const subscription of subscriptions) subscription.unsubscribe();
    scheduler.frame = 99;
    expect(measured.reading()).toEqual({ ...reading, running: 0, closed: 0 });
    expect([one.observed, two.observed]).toEqual([false, false]);
  });
});

describe('meter without a size', () => {
  it('counts each value as one', () => {
    const measured = meter<string>();
    measured(() => of('abc', 'd'))(NEVER).subscribe();
    expect(measured.reading()).toMatchObject({ values: 2, size: 2 });
  });
});

describe('hysteresis', () => {
  it('closes at the high level, and opens at the low one', () => marbles(twoLevels.holds));

  it('errors with its level', () =>
    marbles(({ cold, expectObservable }) => {
      expectObservable(hysteresis(cold('--#'), { high: 9, low: 1 })).toBe('o-#', { o: true });
    }));
});
