import { describe, expect, it } from '@jest/globals';
import { conditionsOf } from '../../../src/http/conditions.ts';

const TIME = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('conditionsOf', () => {
  it.each([
    ['"a"', ['"a"']],
    ['"a", W/"b" ,"c,d"', ['"a"', 'W/"b"', '"c,d"']],
    [' * ', ['*']],
    ['""', ['""']],
    ['abc', []],
    ['', []],
  ])('reads the entity tags %p', (text, tags) => {
    expect(conditionsOf({ 'if-none-match': text })).toEqual({ ifNoneMatch: tags });
    expect(conditionsOf({ 'if-match': text })).toEqual({ ifMatch: tags });
  });

  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', TIME],
    ['Sunday, 06-Nov-94 08:49:37 GMT', TIME],
    ['Sun Nov  6 08:49:37 1994', TIME],
    ['1994-11-06', undefined],
    ['Sun, 06 Nov 1994 08:49:37 CET', undefined],
    ['yesterday GMT', undefined],
    ['', undefined],
  ])('reads the date %p', (text, time) => {
    expect(conditionsOf({ 'if-modified-since': text })?.ifModifiedSince).toBe(time);
    expect(conditionsOf({ 'if-unmodified-since': text })?.ifUnmodifiedSince).toBe(time);
  });

  it('keeps If-Range as it was written', () =>
    expect(conditionsOf({ 'if-range': ' "a" ' })).toEqual({ ifRange: '"a"' }));
  it('is undefined without conditions', () => expect(conditionsOf({ host: 'x' })).toBeUndefined());
});
