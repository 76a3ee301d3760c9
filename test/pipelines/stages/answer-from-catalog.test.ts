import { describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { type CatalogEntry, OPEN, StreamError, type StreamRequest } from '../../../pipelines/index.ts';
import { under } from '../../../pipelines/operators/flow.ts';
import { follow } from '../../../pipelines/operators/follow.ts';
import { answerFromCatalog } from '../../../pipelines/stages/answer-from-catalog.ts';
import { anEntry, aRequest, entryOf, sha256 } from '../../support/pipeline.ts';

const ETAG = `"${sha256('abcd')}"`;
const known = entryOf('abcd', { size: 4 });
const bare = anEntry({ size: 4 });
const beyond = [{ first: 4 }];

/** The answer to a request, or `asked` if a source is asked for it. */
const answer = (entries: readonly (readonly CatalogEntry[])[], request: Partial<StreamRequest>) => {
  const seen: unknown[] = [];
  const transfer = () => follow(() => of({ type: 'shared' } as const));
  of(...entries)
    .pipe(under(OPEN, answerFromCatalog({ policy: { cacheTimeout: 60_000 } }, transfer)(aRequest(request))))
    .subscribe({
      next: (event) => seen.push(event.type === 'head' ? event : 'asked'),
      error: (error) => seen.push(error),
      complete: () => seen.push('end'),
    });
  return seen;
};

const PAST_THE_END = new StreamError('UNSATISFIABLE', 'client', '/pulp/bear.rpm has only 4 bytes', { length: 4 });

describe('an answer from the catalog', () => {
  it.each([
    [304, { ifNoneMatch: [ETAG] }],
    [412, { ifMatch: ['"other"'] }],
    [304, { ifNoneMatch: [ETAG], ifModifiedSince: 0 }],
    [412, { ifMatch: ['"other"'], ifUnmodifiedSince: 0 }],
  ])('is %d by the checksum: %j', (status, conditions) => {
    const candidate = { entry: known, source: { kind: 'catalog', id: '' }, url: known.url };
    expect(answer([[known]], { conditions })).toMatchObject([{ type: 'head', status, candidate }, 'end']);
  });

  it.each<[string, CatalogEntry, Partial<StreamRequest>]>([
    ['the content has changed', known, { conditions: { ifNoneMatch: ['"other"'] } }],
    ['nothing proves the content', bare, { conditions: { ifNoneMatch: [ETAG] } }],
    ['a date is compared', known, { conditions: { ifModifiedSince: 0 } }],
    ['a date is compared before a range is judged', known, { conditions: { ifModifiedSince: 0 }, ranges: beyond }],
    ['another date is, too', known, { conditions: { ifUnmodifiedSince: 0 }, ranges: beyond }],
    ['a tag is compared before a range is judged', bare, { conditions: { ifMatch: ['"1"'] }, ranges: beyond }],
    ['another tag is, too', bare, { conditions: { ifNoneMatch: ['"1"'] }, ranges: beyond }],
    ['a range counts for other content only', known, { conditions: { ifRange: '"1"' }, ranges: beyond }],
    ['a range is within the content', known, { ranges: [{ first: 4 }, { first: 3 }] }],
    ['the content is empty', entryOf('', { size: 0 }), { ranges: beyond }],
    ['the size is unknown', entryOf('abcd'), { ranges: beyond }],
    ['no range is wanted', known, { ranges: [] }],
    ['HEAD has no ranges', known, { method: 'HEAD', ranges: beyond }],
  ])('is that of a source if %s', (_, entry, request) => expect(answer([[entry]], request)).toEqual(['asked', 'end']));

  it.each([known, bare])('is an error if every range lies beyond the content', (entry) =>
    expect(answer([[entry]], { ranges: [...beyond, { first: 9, last: 10 }] })).toEqual([PAST_THE_END]),
  );

  it('ends without entries', () => {
    expect(answer([], {})).toEqual(['end']);
    expect(answer([[]], {})).toEqual(['asked', 'end']);
  });
});
