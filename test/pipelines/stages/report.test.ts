import { describe, expect, it } from '@jest/globals';
import { type Chunk, type Head, type Note, type Report, report, StreamError } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { aCandidate, aRequest, chunk, entryOf, headOf, marbles, untilEndOf } from '../../support/pipeline.ts';

const VALVE = { o: true, x: false };
const entry = entryOf('abc');
const [first, second] = [aCandidate('first', entry), aCandidate('second', entry)];
const lost = new StreamError('CONNECTION_LOST', 'feed', 'lost');

const VALUES: Record<string, Head | Chunk | Note> = {
  '0': { type: 'found', candidates: [first, second] },
  '1': { type: 'attempt', candidate: first, from: 0 },
  '2': { type: 'attempt', candidate: second, from: 1 },
  f: { type: 'failed', candidate: first, error: lost, phase: 'mid-body', sent: 1 },
  r: { type: 'resumed', candidate: second, from: 1 },
  s: { type: 'recorded', unitId: 'unit-bear' },
  h: headOf(first, { length: 3 }),
  a: chunk('a'),
  b: chunk('bc'),
};

/** Runs events through the stage and returns all of its reports. `e` is the end. */
const check = (source: string, result: string, { valve = 'o', unsubscribed, error }: Options = {}): Report[] => {
  const reports: Report[] = [];
  marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
    const events = cold(source, VALUES, error);
    const reported = events.pipe(under(hot(valve, VALVE), report(aRequest(), { report: (one) => reports.push(one) })));
    const end = { type: 'end', report: expect.objectContaining({ outcome: 'complete' }) };
    expectObservable(reported, unsubscribed).toBe(result, { ...VALUES, e: end }, error);
    expectSubscriptions(events.subscriptions).toBe(unsubscribed ?? untilEndOf(result));
  });
  return reports;
};

interface Options {
  readonly valve?: string;
  readonly unsubscribed?: string;
  readonly error?: unknown;
}

describe('report', () => {
  it('ends a complete body with one report of all events', () => {
    const [first, ...others] = check('(01)h-a-f2-r-bs|', '(01)h-a-f2-r-bs(e|)', { valve: '-----x--o' });
    expect(others).toEqual([]);
    expect(first).toEqual({
      id: 'request-1',
      method: 'GET',
      path: '/pulp/bear.rpm',
      outcome: 'complete',
      bytes: 3,
      duration: 15,
      firstByte: 6,
      source: 'second',
      attempts: [
        {
          source: 'first',
          url: 'http://first/bear.rpm',
          from: 0,
          failure: { code: 'CONNECTION_LOST', message: 'lost', phase: 'mid-body' },
        },
        { source: 'second', url: 'http://second/bear.rpm', from: 1 },
      ],
      verified: 'sha256',
      pauses: 1,
      pausedFor: 3,
      recorded: true,
      timeline: [
        { at: 0, what: 'found', detail: '2 candidates' },
        { at: 0, what: 'attempt', detail: 'first' },
        { at: 4, what: 'head', detail: '3 bytes' },
        { at: 6, what: 'first-byte', detail: '' },
        { at: 8, what: 'failed', detail: 'first: lost' },
        { at: 9, what: 'attempt', detail: 'second from byte 1' },
        { at: 11, what: 'resumed', detail: 'second at byte 1' },
        { at: 14, what: 'recorded', detail: 'unit-bear' },
        { at: 15, what: 'end', detail: 'complete' },
      ],
    });
  });

  it('reports a failure, as not verified', () => {
    const [first, ...others] = check('(01)h-a#', '(01)h-a#', { error: lost });
    expect(others).toEqual([]);
    expect(first).toMatchObject({ outcome: 'failed', error: lost, bytes: 1, duration: 7, recorded: false });
    expect(first?.verified).toBeUndefined();
  });

  it('reports a consumer that left while it was paused', () => {
    const [first, ...others] = check('(01)h-a-b', '(01)h-a', { valve: '-----x', unsubscribed: '^------!' });
    expect(others).toEqual([]);
    expect(first).toMatchObject({ outcome: 'left', bytes: 1, duration: 7, pauses: 1, pausedFor: 2 });
  });

  it('turns all errors into StreamErrors', () => {
    const reports: Report[] = [];
    marbles(({ cold, expectObservable }) => {
      const events = cold<Note>('-#', {}, new TypeError('oops'));
      const error = expect.objectContaining({ code: 'INTERNAL', message: expect.stringContaining('oops') });
      expectObservable(events.pipe(under(OPEN, report(aRequest(), { report: (one) => reports.push(one) })))).toBe(
        '-#',
        {},
        error,
      );
    });
    expect(reports).toMatchObject([{ outcome: 'failed', error: { code: 'INTERNAL' } }]);
  });
});
