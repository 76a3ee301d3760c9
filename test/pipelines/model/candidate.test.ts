import { describe, expect, it } from '@jest/globals';
import { isLasting } from '../../../pipelines/model/entry.ts';
import {
  catalogEntry,
  type ErrorCode,
  errorSourceOf,
  field,
  type Header,
  hasOtherBytes,
  isCopy,
  isWorthSaving,
  isWrongCopy,
  sourceName,
} from '../../../pipelines/model/index.ts';
import { aCandidate, anEntry, entryOf } from '../../support/pipeline.ts';

const [feed, saved] = [aCandidate('feed:host', anEntry()), aCandidate('saved', anEntry())];

describe('a candidate', () => {
  it('has a source with a name', () => {
    expect(sourceName(feed.source)).toBe('feed:host');
    expect(sourceName(saved.source)).toBe('saved');
  });

  it('is worth saving unless it is a copy, is outdated, or changes without notice', () => {
    const changing = anEntry({ maxAge: 1000 });
    expect([isCopy(saved), isCopy(feed)]).toEqual([true, false]);
    expect(isWorthSaving(feed)).toBe(true);
    expect(isWorthSaving(saved)).toBe(false);
    expect(isWorthSaving({ ...feed, outdated: true })).toBe(false);
    expect(isWorthSaving({ ...feed, entry: changing })).toBe(false);
    expect(isWorthSaving({ ...feed, entry: entryOf('a', { maxAge: 1000 }) })).toBe(true);
    expect([isLasting(changing), isLasting(anEntry())]).toEqual([false, true]);
  });

  it.each<[ErrorCode, boolean]>([
    ['CHANGED', true],
    ['WRONG_CHECKSUM', true],
    ['WRONG_LENGTH', true],
    ['SHORT_BODY', true],
    ['SOURCE_MISSING', false],
  ])('that fails with %s has other bytes: %s', (code, has) => {
    expect(hasOtherBytes({ code })).toBe(has);
    expect(isWrongCopy(saved, { code })).toBe(has);
    expect(isWrongCopy(feed, { code })).toBe(false);
  });

  it.each([
    ['http://a/', 'feed'],
    ['HTTPS://a/', 'feed'],
    ['s3://bucket/a', 'feed'],
    ['file:///a', 'disk'],
    ['file:///http:/a', 'disk'],
    ['httpx:a', 'disk'],
  ] as const)('at %s fails at its %s', (url, source) => expect(errorSourceOf({ url })).toBe(source));
});

describe('an entry of a custom catalog', () => {
  const own = { path: '/a', url: 'http://a/a' };

  it('has a unit that is named by its checksum, otherwise by its path', () => {
    const defaults = { importerId: '', unitTypeId: 'file', revision: 1, data: {} };
    expect(catalogEntry(own)).toEqual({ ...own, ...defaults, unitId: '/a' });
    const { checksum } = entryOf('a');
    expect(catalogEntry({ ...own, checksum })).toMatchObject({ unitId: checksum?.value });
    expect(catalogEntry({ ...own, unitId: 'u', revision: 2 })).toMatchObject({ unitId: 'u', revision: 2 });
  });
});

describe('a field', () => {
  const headers: readonly Header[] = [
    ['Link', 'a'],
    ['LINK', 'b'],
    ['Linked', 'c'],
    ['Rank', 'd'],
  ];

  it('is the first of its name, however that is spelled', () => {
    expect(field(headers, 'link')).toBe('a');
    expect(field(headers, 'linked')).toBe('c');
    expect(field(headers, 'rank')).toBe('d');
    expect(field(headers, 'lin')).toBeUndefined();
    expect(field([], 'link')).toBeUndefined();
  });
});
