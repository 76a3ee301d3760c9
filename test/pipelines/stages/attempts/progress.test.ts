import { describe, expect, it } from '@jest/globals';
import { StreamError } from '../../../../pipelines/index.ts';
import {
  afterEvent,
  afterFailure,
  beginning,
  needsNoMore,
  type Progress,
  phaseOf,
  summary,
} from '../../../../pipelines/stages/attempts/progress.ts';
import { aCandidate, anEntry, chunk, entryOf, headOf, newDigest } from '../../../support/pipeline.ts';

const candidate = aCandidate('feed', entryOf('abc'));
const start = beginning([candidate]);
const error = new StreamError('CONNECTION_LOST', 'feed', 'reset');

const advanced = (events: readonly Parameters<typeof afterEvent>[1][], progress: Progress = start): Progress =>
  events.reduce(afterEvent, progress);

describe('the progress of a request', () => {
  it('changes its phase with the head and with the first byte', () => {
    const head = headOf(candidate);
    expect(phaseOf(start)).toBe('before-head');
    expect(phaseOf(advanced([head]))).toBe('before-first-byte');
    expect(phaseOf(advanced([head, chunk('a')]))).toBe('mid-body');
    expect(phaseOf(beginning([candidate], { head, sent: 0 }))).toBe('before-first-byte');
    expect(phaseOf(beginning([candidate], { head, sent: 2 }))).toBe('mid-body');
  });

  it('has no digest of bytes that their sources checked, until a source brings one', () => {
    const head = headOf(candidate, { checked: true });
    const digest = newDigest('sha256');
    const resumed = { type: 'resumed', candidate, from: 1 } as const;
    expect(start.undigested).toBe(false);
    expect(advanced([headOf(candidate), chunk('a')]).undigested).toBe(false);
    expect(advanced([head, chunk('a'), resumed, chunk('b')]).undigested).toBe(true);
    expect(advanced([head, chunk('a'), { ...resumed, digest }, chunk('b')]).undigested).toBe(false);
    expect(beginning([candidate], { head, sent: 2 }).undigested).toBe(true);
    expect(beginning([candidate], { head, sent: 2, digest }).undigested).toBe(false);
  });

  it('records the byte that a failed attempt reached, and keeps the former value', () => {
    const before = advanced([headOf(candidate), chunk('ab')]);
    const failed = afterFailure(before, { candidate, error, from: 1 });
    expect(failed.failures).toEqual([{ candidate, error, from: 1, sent: 2 }]);
    expect(before.failures).toEqual([]);
  });

  it.each([
    ['all bytes of content with a checksum', candidate, { total: 3 }, 'abc', true],
    ['fewer bytes', candidate, { total: 3 }, 'ab', false],
    ['all bytes of content without a checksum', aCandidate('feed', anEntry()), { total: 3 }, 'abc', false],
    ['bytes of a part without a known end', candidate, { total: 3, whole: false }, 'abc', false],
    ['all bytes of a part', candidate, { total: 5, whole: false, last: 2 }, 'abc', true],
    ['some bytes of a part', candidate, { total: 5, whole: false, last: 3 }, 'abc', false],
    ['bytes of content of unknown length', candidate, {}, 'abc', false],
    ['nothing, not even the end, of empty content', candidate, { total: 0 }, '', false],
  ])('judges whether more is needed after %s', (_, of, head, bytes, expected) =>
    expect(needsNoMore(advanced([headOf(of, head), chunk(bytes)]))).toBe(expected),
  );

  it('ends with the answer of a source that failed before it answered', () => {
    const missing = new StreamError('SOURCE_MISSING', 'feed', 'has no such file');
    const failures = [error, missing].map((one) => ({ candidate, error: one, from: 0, sent: 0 }));
    expect(summary({ ...start, failures })).toMatchObject({
      code: 'SOURCE_MISSING',
      message: 'every source failed; reset; has no such file',
    });
    expect(summary({ ...start, failures: failures.toReversed() })).toMatchObject({ code: 'CONNECTION_LOST' });
  });

  it('ends with all that the most specific failure says', () => {
    const busy = new StreamError('SOURCE_BUSY', 'feed', 'is busy', { sourceStatus: 503, retryAfter: 7 });
    const missing = new StreamError('SOURCE_MISSING', 'feed', 'has no such file', { sourceStatus: 404 });
    const other = aCandidate('other', candidate.entry);
    const failures = [
      { candidate, error: busy, from: 0, sent: 0 },
      { candidate: other, error: missing, from: 0, sent: 0 },
    ];
    expect(summary({ ...start, failures })).toEqual(
      new StreamError('SOURCE_BUSY', 'feed', 'every source failed; is busy; has no such file', {
        cause: busy,
        sourceStatus: 503,
        retryAfter: 7,
      }),
    );
  });

  it('ends as unavailable if the catalog said nothing of a source, whatever the others answered', () => {
    const silent = new StreamError('CATALOG_UNAVAILABLE', 'catalog', 'no answer');
    const failures = [silent, error].map((one, at) => ({
      ...{ candidate: aCandidate(`source ${at}`, candidate.entry), error: one, from: 0, sent: 0 },
    }));
    for (const all of [failures, failures.toReversed()])
      expect(summary({ ...start, failures: all })).toMatchObject({ code: 'CATALOG_UNAVAILABLE' });
  });

  it('ends with missing bytes rather than with a missing file, but with any other failure rather than these', () => {
    const missing = new StreamError('SOURCE_MISSING', 'feed', 'has no such file');
    const shorter = new StreamError('UNSATISFIABLE', 'feed', 'has only 3 bytes', { length: 3 });
    const codeOf = (...errors: readonly StreamError[]) => {
      const failures = errors.map((one, at) => ({
        ...{ candidate: aCandidate(`s${at}`, candidate.entry), error: one, from: 0, sent: 0 },
      }));
      return summary({ ...start, failures }).code;
    };
    expect(codeOf(missing, shorter)).toBe('UNSATISFIABLE');
    expect(codeOf(shorter, missing)).toBe('UNSATISFIABLE');
    expect(codeOf(error, shorter)).toBe('CONNECTION_LOST');
    expect(codeOf(shorter, error, missing)).toBe('CONNECTION_LOST');
    expect(codeOf(missing, missing)).toBe('SOURCE_MISSING');
  });

  it('counts the failures of outdated content, except that it lacks the bytes', () => {
    const failed = (outdated: boolean, one: StreamError) => ({
      candidate: { ...candidate, outdated },
      error: one,
      from: 0,
      sent: 0,
    });
    const missing = new StreamError('SOURCE_MISSING', 'feed', 'has no such file');
    const shorter = new StreamError('UNSATISFIABLE', 'feed', 'has only 3 bytes', { length: 3 });
    expect(summary({ ...start, failures: [failed(false, missing), failed(true, error)] })).toMatchObject({
      code: 'CONNECTION_LOST',
    });
    expect(summary({ ...start, failures: [failed(false, missing), failed(true, shorter)] })).toBe(missing);
    expect(summary({ ...start, failures: [failed(true, shorter)] })).toBe(shorter);
  });

  it('ends as its settings say if no attempt is allowed', () =>
    expect(summary(start)).toEqual(new StreamError('OUT_OF_SOURCES', 'self', 'no attempt is allowed: attempts is 0')));
});
