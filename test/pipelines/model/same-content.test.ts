import { describe, expect, it } from '@jest/globals';
import type { CatalogEntry, Header, SourceHead } from '../../../pipelines/index.ts';
import {
  canBeContinued,
  isSame,
  isSameState,
  mayContinue,
  sameChecksum,
  stateOf,
} from '../../../pipelines/model/same-content.ts';
import { aCandidate, anEntry, entryOf, sourceHead } from '../../support/pipeline.ts';

const DATE: Header = ['Last-Modified', 'Sun, 06 Nov 1994 08:49:37 GMT'];
const sha1 = (value: string): Pick<CatalogEntry, 'checksum'> => ({ checksum: { algorithm: 'sha1', value } });

describe('the same content', () => {
  it('has the same checksum by the same algorithm', () => {
    expect(sameChecksum(sha1('a'), sha1('a'))).toBe(true);
    expect(sameChecksum(sha1('a'), sha1('b'))).toBe(false);
    expect(sameChecksum(sha1('a'), { checksum: { algorithm: 'md5', value: 'a' } })).toBe(false);
    expect(sameChecksum(sha1('a'), {})).toBe(false);
    expect(sameChecksum({}, sha1('a'))).toBe(false);
    expect(sameChecksum({}, {})).toBe(false);
  });

  it('is that of a candidate of the same source and URL, found again', () => {
    const one = aCandidate('feed:a', anEntry());
    expect(isSame(one, aCandidate('feed:a', anEntry({ revision: 2 })))).toBe(true);
    expect(isSame(one, { ...one, url: 'http://elsewhere/' })).toBe(false);
    expect(isSame(one, { ...one, source: { kind: 'feed', id: 'b' } })).toBe(false);
  });
});

describe('the rest of a response', () => {
  const [bare, proven] = [aCandidate('feed', anEntry()), aCandidate('feed', entryOf('a'))];

  it.each<[string, boolean, Parameters<typeof mayContinue>]>([
    ['another source with the checksum', true, [{ ...proven, url: 'http://b/' }, { candidate: proven }]],
    [
      'another source without it',
      false,
      [
        { ...bare, url: 'http://b/' },
        { candidate: bare, etag: '"1"' },
      ],
    ],
    ['the same source with a strong tag', true, [bare, { candidate: bare, etag: '"1"' }]],
    ['the same source without one', false, [bare, { candidate: bare }]],
  ])('may come from %s: %s', (_, may, [candidate, promised]) => expect(mayContinue(candidate, promised)).toBe(may));

  it('can come from another transfer if a checksum or a strong tag proves it', () => {
    expect(canBeContinued({ candidate: proven })).toBe(true);
    expect(canBeContinued({ candidate: bare, etag: '"1"' })).toBe(true);
    expect(canBeContinued({ candidate: bare })).toBe(false);
  });
});

describe('the state of content', () => {
  const state = (head: Partial<SourceHead>, entry: Partial<CatalogEntry> = {}) =>
    stateOf(aCandidate('feed', anEntry(entry)), sourceHead(head));

  it('is its tag, otherwise its date, with its length and coding', () => {
    const weak: Header = ['ETag', 'W/"2"'];
    expect(state({ etag: '"1"', headers: [weak, DATE], length: 7 })).toBe('"1" 7 ');
    expect(state({ headers: [DATE, weak], length: 7 })).toBe('W/"2" 7 ');
    expect(state({ headers: [DATE, ['Content-Encoding', 'gzip']], length: 7 })).toBe(`${DATE[1]} 7 gzip`);
    expect(state({}, { size: 8 })).toBe(' 8 ');
    expect(state({ length: 7 }, { size: 8 })).toBe(' 7 ');
    expect(state({})).toBe('  ');
  });

  const coded: Header = ['content-encoding', 'gzip'];
  it.each<[string, boolean, Partial<SourceHead>, Partial<SourceHead>, Partial<CatalogEntry>?]>([
    ['an equal tag', true, { etag: '"1"' }, { etag: '"1"' }],
    ['another tag', false, { etag: '"1"', headers: [DATE] }, { etag: '"2"', headers: [DATE] }],
    ['a tag that one lacks', false, { etag: '"1"', headers: [DATE] }, { headers: [DATE] }],
    ['a tag that the other lacks', false, { headers: [DATE] }, { etag: '"1"', headers: [DATE] }],
    ['an equal date', true, { headers: [DATE] }, { headers: [DATE] }],
    ['another date', false, { headers: [DATE] }, { headers: [['Last-Modified', 'x']] }],
    ['nothing', false, {}, {}],
    ['a checksum', true, { etag: '"1"' }, { etag: '"2"' }, sha1('a')],
    ['a checksum, in another coding', false, { headers: [coded] }, {}, sha1('a')],
    ['an equal tag, in another coding', false, { etag: '"1"' }, { etag: '"1"', headers: [coded] }],
    ['an equal tag, in the same coding', true, { etag: '"1"', headers: [coded] }, { etag: '"1"', headers: [coded] }],
  ])('is proven the same by %s: %s', (_, same, a, b, entry = {}) =>
    expect(isSameState(aCandidate('feed', anEntry(entry)), sourceHead(a), sourceHead(b))).toBe(same),
  );
});
