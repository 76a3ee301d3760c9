import { describe, expect, it } from '@jest/globals';
import { concatWith, defer, ignoreElements, map, mergeMap, of, range } from 'rxjs';
import {
  type Candidate,
  type Chunk,
  type Head,
  type Note,
  type Progress,
  type Report,
  report,
  StreamError,
  type Watch,
} from '../../../pipelines/index.ts';
import type { Basin } from '../../../pipelines/operators/basin.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { Gate, OPEN } from '../../../pipelines/operators/valve.ts';
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

describe('the progress of a request', () => {
  /** What is known after each event. `left`: what the report says when the watcher is left. */
  const watching = () => {
    const seen: { progress?: Progress; readonly left: unknown[] } = { left: [] };
    const watch: Watch = (progress) => {
      seen.progress = progress;
      return { unsubscribe: () => seen.left.push(progress.report?.outcome) };
    };
    const known = () => {
      const { notes, bytes, paused, resumes, replaced, report } = seen.progress as Progress;
      const pausedFor = seen.progress?.pausedFor();
      return [notes.length, bytes, paused, pausedFor, resumes, replaced, report?.outcome].join(' ');
    };
    return { seen, watch, known };
  };

  it('is known while it runs, and is left when its report is there', () => {
    const { seen, watch, known } = watching();
    marbles(({ cold, hot, expectObservable }) => {
      const events = cold('(01)h-a-f2-r-bs|', VALUES);
      const reported = events.pipe(under(hot('-----x-o', VALVE), report(aRequest(), { watch })), map(known));
      expectObservable(reported).toBe('(01)h-a-f2-r-bs(e|)', {
        '0': '1 0 false 0 0 false ',
        '1': '2 0 false 0 0 false ',
        h: '3 0 false 0 0 false ',
        a: '3 1 true 1 0 false ',
        f: '4 1 false 2 0 false ',
        '2': '5 1 false 2 0 false ',
        r: '6 1 false 2 1 false ',
        b: '6 3 false 2 1 false ',
        s: '7 3 false 2 1 false ',
        e: '7 3 false 2 1 false complete',
      });
    });
    expect(seen.left).toEqual(['complete']);
    expect(seen.progress?.head).toEqual(VALUES.h);
    expect(seen.progress?.notes.slice(2, 4)).toEqual([
      { at: 4, sent: 0, event: VALUES.h },
      { at: 8, sent: 1, event: VALUES.f },
    ]);
  });

  it('says that another source replaced one before the head', () => {
    const { seen, watch, known } = watching();
    marbles(({ cold, expectObservable }) => {
      const reported = cold('(1f2)h', VALUES).pipe(under(OPEN, report(aRequest(), { watch })), map(known));
      expectObservable(reported, '^-----!').toBe('(1f2)h', {
        '1': '1 0 false 0 0 false ',
        f: '2 0 false 0 0 false ',
        '2': '3 0 false 0 0 false ',
        h: '4 0 false 0 0 true ',
      });
    });
    expect(seen.left).toEqual(['left']);
  });

  it('says so, too, if the attempt was not told', () => {
    const { seen, watch } = watching();
    of(VALUES.f as Note, VALUES.h as Head)
      .pipe(under(OPEN, report(aRequest(), { watch })))
      .subscribe();
    expect(seen.progress?.replaced).toBe(true);
  });

  it('does not pause any more after its end', () => {
    const { seen, watch } = watching();
    const valve = new Gate(true);
    of(VALUES.h as Head, VALUES.a as Chunk)
      .pipe(under(valve, report(aRequest(), { watch })))
      .subscribe(({ type }) => {
        if (type === 'end') valve.next(false);
      });
    expect([seen.progress?.paused, seen.progress?.report?.outcome]).toEqual([false, 'complete']);
  });

  it('has what was put on disk for its consumer alone, and not its copy', () => {
    const { seen, watch } = watching();
    const [copy, spill] = [{ from: 0, to: 3 } as Basin<never>, { from: 1, to: 2 }];
    const [waits, told]: [Note, Note] = [
      { type: 'on-disk', basin: copy },
      { type: 'on-disk', basin: spill },
    ];
    const found: unknown[] = [];
    of(headOf(first, { basin: copy }), waits, ...Array<Note>(200).fill({ type: 'shared' }), told)
      .pipe(under(OPEN, report(aRequest(), { watch })))
      .subscribe(() => found.push(seen.progress?.spill));
    expect([...new Set(found)]).toEqual([undefined, spill]);
    expect(seen.progress?.spill).toBe(spill);
  });

  it('has the first 200 notes', () => {
    const { seen, watch } = watching();
    const reports: Report[] = [];
    range(0, 201)
      .pipe(
        map((from): Note => ({ type: 'behind', from })),
        under(OPEN, report(aRequest(), { watch, report: (one) => reports.push(one) })),
      )
      .subscribe();
    expect(seen.progress?.notes.map(({ event }) => (event as { from: number }).from)).toEqual(
      Array.from({ length: 200 }, (_, from) => from),
    );
    expect(reports[0]?.timeline).toHaveLength(202);
  });
});
