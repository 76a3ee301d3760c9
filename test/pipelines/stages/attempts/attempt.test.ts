import { describe, expect, it } from '@jest/globals';
import { concat, defer, ignoreElements, NEVER, type Observable, throwError, timer } from 'rxjs';
import { type Ask, createHealth, type Policy, type SourceEvent, StreamError } from '../../../../pipelines/index.ts';
import { under } from '../../../../pipelines/operators/flow.ts';
import { OPEN, type Valve } from '../../../../pipelines/operators/valve.ts';
import { attempt, type PlaceAtSource, placeFor, supervise } from '../../../../pipelines/stages/attempts/attempt.ts';
import {
  aCandidate,
  anEntry,
  aPolicy,
  aRequest,
  broken,
  chunk,
  entryOf,
  inTurn,
  marbles,
  sourceHead,
  unpaused,
  untilEndOf,
} from '../../../support/pipeline.ts';

const VALVE = { o: true, x: false };
const VALUES: Record<string, SourceEvent> = { h: sourceHead({ length: 2 }), a: chunk('a'), b: chunk('b') };
const candidate = aCandidate('feed', entryOf('ab'));
const failure = (code: 'HEAD_TIMEOUT' | 'STALLED' | 'TOO_SLOW' | 'SHORT_BODY', what: string) =>
  new StreamError(code, 'feed', `http://feed/bear.rpm ${what}`);

/** One attempt; the source is left at the end of the result. */
const check = (source: string, result: string, { error, valve = 'o', access, ...policy }: Options = {}) =>
  marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
    const events = cold(source, VALUES);
    const deps = { open: unpaused(() => events), policy: aPolicy({ headTimeout: 5, readTimeout: 8, ...policy }) };
    const tried = attempt(aRequest(), { ...candidate, access }, { from: 0 }, deps)(hot(valve, VALVE));
    expectObservable(tried).toBe(result, VALUES, error);
    expectSubscriptions(events.subscriptions).toBe(untilEndOf(result));
  });

interface Options extends Partial<Policy> {
  readonly error?: StreamError;
  readonly valve?: string;
  readonly access?: (typeof candidate)['access'];
}

describe('attempt', () => {
  it('passes the events of a source that keeps its limits', () => check('--h-a-b-|', '--h-a-b-|'));

  it('leaves a source whose head is late', () =>
    check('------h', '-----#', { error: failure('HEAD_TIMEOUT', 'sent no response head within 5 ms') }));

  it('counts the time until the head even while the valve is closed', () =>
    check('------h', '-----#', {
      valve: 'x',
      error: failure('HEAD_TIMEOUT', 'sent no response head within 5 ms'),
    }));

  it('leaves a source that stalls', () =>
    check('--h-a---------b', '--h-a-------#', { error: failure('STALLED', 'sent nothing for 8 ms') }));

  it('does not count the time in which the valve is closed', () =>
    check('--h-a-----------b-|', '--h-a-----------b-|', { valve: 'o----x---------o---' }));

  it('uses the read timeout of the source', () =>
    check('--h-a---b', '--h-a--#', { access: { readTimeout: 3 }, error: failure('STALLED', 'sent nothing for 3 ms') }));

  it('leaves a source that is too slow, unless our own limit slows it', () => {
    const slow = { minSpeed: 500, minSpeedWindow: 4 };
    const error = failure('TOO_SLOW', 'sent less than 500 bytes per second for 4 ms');
    check('-h--a--b|', '-h--a#', { ...slow, error });
    check('----h--ab|', '----h--ab|', slow);
    check('-h--a--b|', '-h--a--b|', { ...slow, access: { maxSpeed: 1 } });
  });

  it('fails a body that ends early', () =>
    check('--h-a-|', '--h-a-#', { error: failure('SHORT_BODY', 'ended after 1 of 2 bytes') }));

  it('asks for the missing bytes, with the valve of the consumer', () => {
    const asked: [Ask, Valve][] = [];
    const deps = {
      open: (_: unknown, ask: Ask) => (valve: Valve) => {
        asked.push([ask, valve]);
        return NEVER;
      },
      policy: aPolicy(),
    };
    const request = aRequest({ client: 'a' });
    attempt(request, candidate, { from: 1, ifRange: '"1"' }, deps)(NEVER).subscribe().unsubscribe();
    attempt(request, candidate, { from: 0 }, deps)(NEVER).subscribe().unsubscribe();
    attempt(aRequest(), candidate, { from: 0 }, deps)(NEVER).subscribe().unsubscribe();
    const waits = expect.any(Function);
    // Strictly: what is unknown is left out.
    expect(asked).toStrictEqual([
      [{ method: 'GET', from: 1, ifRange: '"1"', waits, client: 'a', decodes: expect.any(Function) }, NEVER],
      [{ method: 'GET', from: 0, waits, client: 'a', decodes: expect.any(Function) }, NEVER],
      [{ method: 'GET', from: 0, waits, decodes: expect.any(Function) }, NEVER],
    ]);
  });

  it('asks on behalf of the trace of its request', () => {
    const asked: unknown[] = [];
    const open = unpaused((_, { trace }) => {
      asked.push(trace);
      return NEVER;
    });
    const trace = { traceparent: '00-1-2-01', tracestate: 'a=b' };
    for (const request of [aRequest(), aRequest(trace)])
      attempt(request, candidate, { from: 0 }, { open, policy: aPolicy() })(OPEN).subscribe().unsubscribe();
    expect(asked).toEqual([undefined, trace]);
  });

  it('lets the source decode what only decoded can be the entry’s', () => {
    const sized = aCandidate('feed', entryOf('ab', { size: 2 }));
    const gzip = sourceHead({ headers: [['Content-Encoding', 'gzip']] });
    const answers: unknown[] = [];
    const open = unpaused((_, { decodes }) => {
      answers.push([decodes?.({ ...gzip, length: 1 }), decodes?.(gzip)]);
      return NEVER;
    });
    const wasCoded = { ...createHealth({ cooldown: 0, cooldownLimit: 0, random: () => 1 }), wasCoded: () => true };
    for (const health of [undefined, wasCoded])
      attempt(aRequest(), sized, { from: 0 }, { open, policy: aPolicy(), health })(OPEN).subscribe().unsubscribe();
    expect(answers).toEqual([
      [true, false],
      [true, true],
    ]);
  });

  it('asks for a head alone by HEAD, whatever parts are wanted', () => {
    const parts = [
      { first: 0, last: 0 },
      { first: 3, last: 3 },
    ] as const;
    const asked: unknown[] = [];
    const open = unpaused((_, { method, from, last, parts }) => {
      asked.push({ method, from, last, parts });
      return NEVER;
    });
    const deps = { open, policy: aPolicy() };
    attempt(
      aRequest({ method: 'HEAD', parts }),
      candidate,
      { from: 0 },
      deps,
    )(OPEN)
      .subscribe()
      .unsubscribe();
    expect(asked).toEqual([{ method: 'HEAD', from: 0 }]);
  });

  it('asks once if no state is named in which no body is wanted', () =>
    marbles(({ cold, expectObservable }) => {
      const values = { n: sourceHead({ status: 304 }) };
      const deps = { open: unpaused(inTurn(cold('-n|', values))), policy: aPolicy() };
      expectObservable(attempt(aRequest(), aCandidate('feed', anEntry()), { from: 0 }, deps)(OPEN)).toBe('-n|', values);
    }));

  it('asks for the first byte if a source refuses HEAD, also if it is asked for a change', () => {
    const asked: string[] = [];
    const open = unpaused((_, { method, unless }) => {
      asked.push(`${method}${unless ? ' unless' : ''}`);
      return throwError(() => new StreamError('SOURCE_STATUS', 'feed', 'answered 405', { sourceStatus: 405 }));
    });
    const ask = { from: 0, unless: { modifiedSince: 0 } };
    attempt(aRequest({ method: 'HEAD' }), candidate, ask, { open, policy: aPolicy() })(OPEN).subscribe({
      error: () => {},
    });
    expect(asked).toEqual(['HEAD unless', 'GET unless']);
  });

  it('says once that its source is asked after a wait', () => {
    let asked = 0;
    const place = placeFor({}, () => {
      asked += 1;
    });
    const seen = [false, true, true, false, false].map((waiting) => {
      place.waits(waiting);
      return asked;
    });
    expect(seen).toEqual([0, 0, 0, 1, 1]);
  });

  it('does not count a wait for a place against the source', () =>
    marbles(({ cold, expectObservable }) => {
      const open = (_: unknown, ask: Ask): Observable<SourceEvent> => {
        ask.waits?.(true);
        return concat(
          timer(20).pipe(ignoreElements()),
          defer(() => {
            ask.waits?.(false);
            return cold<SourceEvent>('----');
          }),
        );
      };
      const policy = aPolicy({ headTimeout: 6 });
      const error = failure('HEAD_TIMEOUT', 'sent no response head within 6 ms');
      expectObservable(attempt(aRequest(), candidate, { from: 0 }, { open: unpaused(open), policy })(OPEN)).toBe(
        '26ms #',
        {},
        error,
      );
    }));

  it('ends a wait for a place, and the time after it, when the answer is due', () =>
    marbles(({ cold, expectObservable }) => {
      const deps = { policy: aPolicy({ headTimeout: 16 }) };
      const waiting = placeFor({});
      waiting.waits(true);
      const full = new StreamError('SOURCE_FULL', 'self', `${candidate.url} had no place in time`);
      const supervised = (place: PlaceAtSource) => supervise(aRequest(), candidate, deps, place, undefined, 20);
      expectObservable(cold<SourceEvent>('-').pipe(under(OPEN, supervised(waiting)))).toBe('20ms #', {}, full);
      const asked = placeFor({});
      asked.waits(true);
      const late = cold<SourceEvent>('-').pipe(under(OPEN, supervised(asked)));
      timer(17).subscribe(() => asked.waits(false));
      // Too little to blame it.
      const hurried = new StreamError('ANSWER_TIMEOUT', 'self', `${candidate.url} had only 3 ms to answer`);
      expectObservable(late).toBe('20ms #', {}, hurried);
    }));

  it.each([
    { had: 999, code: 'ANSWER_TIMEOUT', answerTimeout: 25_000 },
    { had: 1_000, code: 'HEAD_TIMEOUT', answerTimeout: 25_000 },
    { had: 499, code: 'ANSWER_TIMEOUT', answerTimeout: 2_000 },
    { had: 500, code: 'HEAD_TIMEOUT', answerTimeout: 2_000 },
  ])('blames a source only if it had a second, or a quarter of all time: $had ms of $answerTimeout', (one) =>
    marbles(({ cold, expectObservable }) => {
      const deps = { policy: aPolicy({ headTimeout: 10_000, answerTimeout: one.answerTimeout }) };
      const silent = cold<SourceEvent>('-');
      const supervised = supervise(aRequest(), candidate, deps, placeFor({}), undefined, one.had);
      expectObservable(silent.pipe(under(OPEN, supervised))).toBe(
        `${one.had}ms #`,
        {},
        expect.objectContaining({ code: one.code }),
      );
    }),
  );

  it('fails without opening a candidate that has a problem', () =>
    marbles(({ expectObservable }) => {
      const problem = new StreamError('SOURCE_BROKEN', 'feed', 'importer unknown');
      const deps = {
        open: () => {
          throw new Error('opened');
        },
        policy: aPolicy(),
      };
      expectObservable(attempt(aRequest(), broken(candidate, problem), { from: 0 }, deps)(OPEN)).toBe('#', {}, problem);
    }));

  it('does not measure the speed of an answer to HEAD', () =>
    marbles(({ cold, expectObservable }) => {
      const policy = aPolicy({ minSpeed: 500, minSpeedWindow: 4 });
      const deps = { open: unpaused(() => cold('--h-------|', VALUES)), policy };
      expectObservable(attempt(aRequest({ method: 'HEAD' }), candidate, { from: 0 }, deps)(OPEN)).toBe(
        '--h-------|',
        VALUES,
      );
    }));

  it('does not measure the answer to HEAD', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const events = cold('--h|', VALUES);
      const deps = { open: unpaused(() => events), policy: aPolicy() };
      expectObservable(attempt(aRequest({ method: 'HEAD' }), candidate, { from: 0 }, deps)(OPEN)).toBe('--h|', VALUES);
      expectSubscriptions(events.subscriptions).toBe('^--!');
    }));

  it('passes the same head of a source that refuses HEAD', () =>
    marbles(({ cold, expectObservable }) => {
      const refused = new StreamError('SOURCE_STATUS', 'feed', 'answered 405', { sourceStatus: 405 });
      const events = { HEAD: cold('-#', VALUES, refused), GET: cold('-h-a-b|', VALUES) };
      const deps = { open: unpaused((_, { method }) => events[method]), policy: aPolicy() };
      expectObservable(attempt(aRequest({ method: 'HEAD' }), candidate, { from: 0 }, deps)(OPEN)).toBe(
        '--(h|)',
        VALUES,
      );
    }));

  it('closes the source when unsubscribed, also while it is paused', () =>
    marbles(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const events = cold('-h-----', VALUES);
      const valve = hot('  --x----', VALVE);
      const deps = { open: unpaused(() => events), policy: aPolicy() };
      expectObservable(attempt(aRequest(), candidate, { from: 0 }, deps)(valve), '^---!').toBe('-h--', VALUES);
      expectSubscriptions(events.subscriptions).toBe('^---!');
      expectSubscriptions(valve.subscriptions).toBe('^---!');
    }));
});
