import { describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { type Candidate, etagOf, type SourceHead, StreamError } from '../../../../pipelines/index.ts';
import { under } from '../../../../pipelines/operators/flow.ts';
import { OPEN } from '../../../../pipelines/operators/valve.ts';
import { partAlone } from '../../../../pipelines/stages/attempts/part-alone.ts';
import type { Wanted } from '../../../../pipelines/stages/attempts/wanted.ts';
import { aCandidate, anEntry, chunk, entryOf, sourceHead } from '../../../support/pipeline.ts';

const large = aCandidate('feed', entryOf('abcdef', { size: 6 }));
const { checksum } = large.entry;
const PART: Wanted = { range: { first: 2, last: 3 } };
const DATE = 'Thu, 01 Jan 2026 00:00:00 GMT';
const dated: Partial<SourceHead> = { headers: [['Last-Modified', DATE]] };

/** What becomes of a head of content of 6 bytes; it is small below `limit`. Empty: it passes, and its body. */
const outcome = (
  head: Partial<SourceHead>,
  { wants = PART, candidate = large, limit = 0 }: { wants?: Wanted; candidate?: Candidate; limit?: number } = {},
): string => {
  const events = [sourceHead({ length: 6, ...head }), chunk('c')];
  const seen: unknown[] = [];
  let failed = '';
  of(...events)
    .pipe(under(OPEN, partAlone(candidate, wants, { verifyWholeBelow: limit })))
    .subscribe({
      next: (event) => seen.push(event),
      error: (error) => (failed = error instanceof StreamError ? `${error.code} ${error.message}` : `${error}`),
    });
  expect(seen).toEqual(failed === '' ? events : []);
  return failed;
};

const WHOLE = 'NEEDS_WHOLE http://feed/bear.rpm sends the whole instead of a part';
const SMALL = 'NEEDS_WHOLE http://feed/bear.rpm has only 6 bytes, so the whole is verified';
const part = { from: 2, last: 3 };

describe('the answer to a range', () => {
  it('passes if it is a part of large content', () => {
    expect(outcome(part)).toBe('');
    expect(outcome(part, { limit: 5 })).toBe('');
    expect(outcome({ from: 2 }, { wants: { range: { first: 2 } } })).toBe('');
    expect(outcome({ from: 0, last: 3 }, { wants: { range: { first: 0, last: 3 } } })).toBe('');
  });

  it('needs the whole if its source ignores the range', () => {
    expect(outcome({})).toBe(WHOLE);
    expect(outcome({ length: undefined })).toBe(WHOLE);
    expect(outcome({ length: undefined }, { candidate: aCandidate('feed', entryOf('abcdef')) })).toBe(WHOLE);
  });

  it('needs the whole if that is so small that it is verified', () => expect(outcome(part, { limit: 6 })).toBe(SMALL));

  it('needs no whole if nothing is to be verified', () => {
    expect(outcome({ ...part, checked: true }, { limit: 6 })).toBe('');
    expect(outcome(part, { limit: 6, candidate: { ...large, unproven: true } })).toBe('');
    expect(outcome({}, { candidate: aCandidate('feed', anEntry({ size: 6 })) })).toBe('');
  });

  it('passes if the whole is wanted', () => {
    expect(outcome({}, { wants: {} })).toBe('');
    expect(outcome({}, { wants: { range: { first: 0 } } })).toBe('');
    expect(outcome({}, { wants: { range: { first: 0, last: 5 } } })).toBe('');
    expect(outcome({}, { wants: { range: { first: -6 } } })).toBe('');
  });

  it('passes if nothing exists of what is wanted', () =>
    expect(outcome({}, { wants: { range: { first: 6 } } })).toBe(''));

  it('passes if it says that nothing has changed', () => expect(outcome({ status: 304 })).toBe(''));

  it('is the whole as it should be if the content is no longer that of If-Range', () => {
    const wants = (ifRange: string): Wanted => ({ ...PART, ifRange });
    expect(outcome(dated, { wants: wants('Fri, 02 Jan 2026 00:00:00 GMT') })).toBe('');
    expect(outcome(dated, { wants: wants('Fri, 02 Jan 2026 00:00:00 GMT'), limit: 6 })).toBe('');
    expect(outcome(dated, { wants: wants(DATE) })).toBe(WHOLE);
    expect(outcome({}, { wants: wants('"other"') })).toBe('');
    expect(outcome({}, { wants: wants(checksum ? etagOf(checksum) : '') })).toBe(WHOLE);
    // The date may be that of the replaced content.
    const replaced = aCandidate('feed', entryOf('abcdef', { size: 6, replaced: true }));
    expect(outcome(dated, { wants: wants(DATE), candidate: replaced })).toBe('');
  });
});
