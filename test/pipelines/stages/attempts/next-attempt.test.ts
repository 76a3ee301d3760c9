import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, StreamError } from '../../../../pipelines/index.ts';
import { nextAttempt } from '../../../../pipelines/stages/attempts/next-attempt.ts';
import type { Failure } from '../../../../pipelines/stages/attempts/progress.ts';
import { aCandidate, anEntry, aPolicy, aSource, entryOf } from '../../../support/pipeline.ts';

const entry = entryOf('content');
const a = aCandidate('a', entry);
const b = aCandidate('b', entry);
const other = aCandidate('other', entryOf('other content'));
const c = aCandidate('c', entry);
const bare = aCandidate('bare', anEntry());
const policy = aPolicy({ attempts: 8, attemptsPerCandidate: 3, retryWait: 10, retryWaitLimit: 100 });

const failure = (candidate: typeof a, code: ErrorCode, from = 0, sent = from, retryAfter?: number): Failure => ({
  candidate,
  error: new StreamError(code, 'feed', code, { retryAfter }),
  from,
  sent,
});
const next = (candidates: (typeof a)[], failures: Failure[], soFar?: { candidate: typeof a; etag?: string }) =>
  nextAttempt({ candidates, failures, soFar: soFar && { first: 0, whole: true, ...soFar } }, policy, () => 1);

describe('nextAttempt', () => {
  it('repeats a candidate before it takes an outdated one, unless it is in a hurry', () => {
    const old = { ...b, outdated: true };
    const later = (failures: Failure[], hurry: boolean, candidates = [a, old]) =>
      nextAttempt({ candidates, failures, soFar: undefined }, policy, () => 1, hurry);
    const stalled = failure(a, 'STALLED');
    expect(later([stalled], false)).toEqual({ candidate: a, wait: 10 });
    expect(later([stalled], true)).toEqual({ candidate: old, wait: 0 });
    expect(later([stalled], true, [a, c, old])).toEqual({ candidate: c, wait: 0 });
    // Nothing is left that was not tried.
    expect(later([stalled, failure(old, 'STALLED')], true)).toEqual({ candidate: a, wait: 10 });
    // Other content would be wrong.
    expect(later([failure(c, 'UNSATISFIABLE'), stalled], true, [c, a, old])).toEqual({ candidate: a, wait: 10 });
  });

  it('takes the first candidate first', () => expect(next([a, b], [])).toEqual({ candidate: a, wait: 0 }));

  it('takes the next untried one after a failure before the head, at once', () =>
    expect(next([a, b], [failure(a, 'CONNECT_FAILED')])).toEqual({ candidate: b, wait: 0 }));

  it('gives up once all have failed permanently', () =>
    expect(next([a, b], [failure(a, 'SOURCE_MISSING'), failure(b, 'TLS_FAILED')])).toBeUndefined());

  it('retries one whose failure may pass, after a back-off that doubles', () => {
    expect(next([a], [failure(a, 'CONNECT_FAILED')])).toEqual({ candidate: a, wait: 10 });
    expect(next([a], [failure(a, 'CONNECT_FAILED'), failure(a, 'STALLED')])).toEqual({ candidate: a, wait: 20 });
  });

  it('retries another one before one that delivers a few bytes each time', () => {
    const failures = [failure(a, 'TOO_SLOW', 0, 5), failure(b, 'HEAD_TIMEOUT', 5), failure(a, 'TOO_SLOW', 5, 9)];
    expect(next([a, b], failures, { candidate: a })?.candidate).toBe(b);
  });

  it('spreads the back-off down to one half', () =>
    expect(
      nextAttempt({ candidates: [a], failures: [failure(a, 'STALLED')], soFar: undefined }, policy, () => 0)?.wait,
    ).toBe(5));

  it('drops a candidate after its limit of consecutive failures', () =>
    expect(next([a], Array(3).fill(failure(a, 'CONNECT_FAILED')))).toBeUndefined());

  it('counts the failures of each candidate alone', () => {
    const failures = [a, b, a, b].map((one) => failure(one, 'CONNECT_FAILED'));
    expect(next([a, b], failures)).toEqual({ candidate: a, wait: 20 });
  });

  it('gives up if the whole must be fetched first: no other source has to be asked for the part', () =>
    expect(next([a, b], [failure(a, 'NEEDS_WHOLE')])).toBeUndefined());

  it('waits for the time that the source asks for, unless it is too long', () => {
    expect(next([a], [failure(a, 'SOURCE_BUSY', 0, 0, 70)])).toEqual({ candidate: a, wait: 70 });
    expect(next([a], [failure(a, 'SOURCE_BUSY', 0, 0, 100)])).toEqual({ candidate: a, wait: 100 });
    expect(next([a], [failure(a, 'SOURCE_BUSY', 0, 0, 101)])).toBeUndefined();
  });

  it('resumes at once from the source that was sending', () =>
    expect(next([a, b], [failure(a, 'CONNECTION_LOST', 0, 500)], { candidate: a })).toEqual({ candidate: a, wait: 0 }));

  it('continues with another source of the same checksum if the first cannot continue', () => {
    expect(next([a, b], [failure(a, 'CHANGED', 0, 500)], { candidate: a })).toEqual({ candidate: b, wait: 0 });
    const twice = [failure(a, 'CONNECTION_LOST', 0, 500), failure(a, 'CONNECT_FAILED', 500)];
    expect(next([a, b], twice, { candidate: a })).toEqual({ candidate: b, wait: 0 });
  });

  it('takes an outdated candidate only if no other remains and the bytes may exist', () => {
    const old = { ...other, outdated: true };
    expect(next([old, a], [])).toEqual({ candidate: a, wait: 0 });
    expect(next([a, old], [failure(a, 'CONNECT_FAILED')])).toEqual({ candidate: a, wait: 10 });
    expect(next([a, old], Array(3).fill(failure(a, 'CONNECT_FAILED')))).toEqual({ candidate: old, wait: 0 });
    expect(next([a, old], [failure(a, 'SOURCE_STATUS')])).toEqual({ candidate: old, wait: 0 });
    expect(next([a, old], [failure(a, 'UNSATISFIABLE')])).toBeUndefined();
    expect(next([a, old], [failure(a, 'LENGTH_UNKNOWN')])).toBeUndefined();
    expect(next([a, b, old], [failure(a, 'UNSATISFIABLE')])).toEqual({ candidate: b, wait: 0 });
    expect(
      next([{ ...a, source: aSource('saved') }, b], [failure({ ...a, source: aSource('saved') }, 'UNSATISFIABLE')]),
    ).toBeUndefined();
  });

  it('never joins content of another checksum, or without one', () => {
    expect(next([a, other], [failure(a, 'CHANGED', 0, 500)], { candidate: a })).toBeUndefined();
    expect(next([bare, a], [failure(bare, 'CONNECTION_LOST', 0, 5)], { candidate: bare })).toBeUndefined();
  });

  it('resumes content without a checksum only from the same source with a strong entity tag', () =>
    expect(next([bare, a], [failure(bare, 'CONNECTION_LOST', 0, 5)], { candidate: bare, etag: '"1"' })).toEqual({
      candidate: bare,
      wait: 0,
    }));

  it('continues while every attempt brings new bytes, up to the limit of the request', () => {
    const dying = (count: number) =>
      Array.from({ length: count }, (_, i) => failure(a, 'CONNECTION_LOST', i * 10, i * 10 + 10));
    expect(next([a], dying(7), { candidate: a })).toEqual({ candidate: a, wait: 0 });
    expect(next([a], dying(8), { candidate: a })).toBeUndefined();
  });

  it('keeps a turn for each untried candidate, even if a dying one brings new bytes each time', () => {
    const dying = (count: number) =>
      Array.from({ length: count }, (_, i) => failure(a, 'CONNECTION_LOST', i * 10, i * 10 + 10));
    expect(next([a, b], dying(6), { candidate: a })).toEqual({ candidate: a, wait: 0 });
    expect(next([a, b], dying(7), { candidate: a })).toEqual({ candidate: b, wait: 0 });
  });

  it('restarts the count of consecutive failures after progress', () => {
    const failures = [failure(a, 'CONNECTION_LOST', 0, 10), failure(a, 'CONNECT_FAILED', 10)];
    expect(next([a], failures, { candidate: a })).toMatchObject({ candidate: a });
    expect(next([a], [...failures, failure(a, 'CONNECT_FAILED', 10)], { candidate: a })).toBeUndefined();
  });
});
