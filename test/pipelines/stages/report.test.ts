import { describe, expect, it } from '@jest/globals';
import { concatWith, defer, ignoreElements, mergeMap, of } from 'rxjs';
import {
  type Candidate,
  type Chunk,
  type Head,
  type Note,
  type Report,
  report,
  StreamError,
} from '../../../pipelines/index.ts';
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

  it('counts time from its subscription', () =>
    marbles(({ cold, expectObservable }) => {
      const reports: Report[] = [];
      const reported = () =>
        cold('-h-(a|)', VALUES).pipe(under(OPEN, report(aRequest(), { report: (one) => reports.push(one) })));
      expectObservable(
        cold('-----(s|)').pipe(
          mergeMap(reported),
          ignoreElements(),
          concatWith(defer(() => of(...reports.map(({ duration, firstByte }) => [duration, firstByte])))),
        ),
      ).toBe('--------(t|)', { t: [3, 3] });
    }));

  it('says what became of sharing, of waiting, and of a length that nobody knows', () => {
    const moments = (value: Head | Chunk | Note) => {
      const reports: Report[] = [];
      of(value)
        .pipe(under(OPEN, report(aRequest(), { report: (one) => reports.push(one) })))
        .subscribe();
      return reports[0]?.timeline.slice(0, -1).map(({ what, detail }) => `${what} ${detail}`);
    };
    expect(moments({ type: 'shared' })).toEqual(['shared ']);
    expect(moments({ type: 'behind', from: 7 })).toEqual(['behind at byte 7']);
    expect(moments({ type: 'on-disk', basin: { from: 0, to: 3 } })).toEqual(['on-disk ']);
    expect(moments({ type: 'asked', candidate: first })).toEqual(['asked first']);
    expect(moments({ type: 'found', candidates: [first] })).toEqual(['found 1 candidate']);
    expect(moments({ type: 'found', candidates: [] })).toEqual(['found 0 candidates']);
    expect(moments(headOf(first))).toEqual(['head length unknown']);
  });

  it('has how far the copy is, if one is kept', () => {
    const copy = { taken: 3, written: 1 };
    const reports: Report[] = [];
    for (const head of [headOf(first, { copy }), headOf(first)])
      of(head)
        .pipe(under(OPEN, report(aRequest(), { report: (one) => reports.push(one) })))
        .subscribe();
    expect(reports.map((one) => one.copy)).toEqual([copy, undefined]);
    expect(reports.map((one) => Object.hasOwn(one, 'copy'))).toEqual([true, false]);
  });

  it('has each failure with its attempt, once', () => {
    const [here, there] = [first, { ...first, url: 'http://first/mirror' }];
    const other = { ...second, url: first.url };
    const attempt = (candidate: Candidate): Note => ({ type: 'attempt', candidate, from: 0 });
    const failure = (candidate: Candidate, message: string): Note => {
      const error = new StreamError('CONNECTION_LOST', 'feed', message);
      return { type: 'failed', candidate, error, phase: 'before-head', sent: 0 };
    };
    const reports: Report[] = [];
    of(
      ...[here, there, other].map(attempt),
      failure(here, 'one'),
      attempt(here),
      failure(here, 'two'),
      // Named once more, since its bytes were wrong.
      failure(here, 'three'),
      failure(other, 'four'),
    )
      .pipe(under(OPEN, report(aRequest(), { report: (one) => reports.push(one) })))
      .subscribe();
    const { attempts = [] } = reports[0] ?? {};
    expect(attempts.map(({ url, failure }) => [url, failure?.message])).toEqual([
      [here.url, 'one'],
      [there.url, undefined],
      [here.url, 'four'],
      [here.url, 'two'],
    ]);
    expect(Object.keys(attempts)).toHaveLength(4);
  });

  it('names the source of the last byte, not that of a later attempt', () => {
    expect(check('(01)h-a-f2#', '(01)h-a-f2#', { error: lost })[0]?.source).toBe('first');
    expect(check('(01)f2#', '(01)f2#', { error: lost })[0]?.source).toBeUndefined();
  });

  it('ends what had no head, as not verified', () => {
    const [only] = check('|', '(e|)');
    expect(only).toMatchObject({ outcome: 'complete', bytes: 0, attempts: [], verified: undefined });
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
