import { describe, expect, it } from '@jest/globals';
import { of, Subject, VirtualTimeScheduler } from 'rxjs';
import { clientTimeout, type Head, StreamError } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { aCandidate, entryOf, headOf, marbles } from '../../support/pipeline.ts';

const VALVE = { o: true, x: false };
const VALUES = { h: headOf(aCandidate('feed', entryOf('a'))) };
const stuck = new StreamError('CLIENT_STUCK', 'client', 'the client read nothing for 5 ms');

describe('clientTimeout', () => {
  it('errors if the valve stays closed for too long, and leaves source and valve', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold<Head>('h-------------', VALUES);
      const valve = hot('        o-x--o---x----', VALVE);
      const result = '           h-------------#';
      expectObservable(source.pipe(under(valve, clientTimeout({ policy: { clientTimeout: 5 } })))).toBe(
        result,
        VALUES,
        stuck,
      );
      expectSubscriptions(source.subscriptions).toBe('^-------------!');
      expectSubscriptions(valve.subscriptions).toBe(' ^-------------!');
    }));

  it('never errors, and ignores the valve, if the time is 0', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const source = cold<Head>('h---------|', VALUES);
      const valve = hot('        x----------', VALVE);
      expectObservable(source.pipe(under(valve, clientTimeout({ policy: { clientTimeout: 0 } })))).toBe(
        'h---------|',
        VALUES,
      );
      expectSubscriptions(source.subscriptions).toBe('^---------!');
      expectSubscriptions(valve.subscriptions).toBe([]);
    }));

  it('waits on the clock that it is given', () => {
    const scheduler = new VirtualTimeScheduler();
    const failed: unknown[] = [];
    const source = new Subject<Head>();
    source
      .pipe(under(of(false), clientTimeout({ policy: { clientTimeout: 5 }, scheduler })))
      .subscribe({ error: (error) => failed.push(error) });
    expect(failed).toEqual([]);
    scheduler.flush();
    expect(failed).toEqual([stuck]);
  });
});
