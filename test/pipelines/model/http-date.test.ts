import { expect, it } from '@jest/globals';
import { judge, timeOfHttpDate } from '../../../pipelines/model/index.ts';

const TIME = Date.UTC(1994, 10, 6, 8, 49, 37);

it.each([
  ['Sun, 06 Nov 1994 08:49:37 GMT', TIME],
  ['Sunday, 06-Nov-94 08:49:37 GMT', TIME],
  ['Sun Nov  6 08:49:37 1994', TIME],
  ['Thursday, 06-Nov-49 08:49:37 GMT', Date.UTC(2049, 10, 6, 8, 49, 37)],
  ['Monday, 06-Nov-50 08:49:37 GMT', Date.UTC(1950, 10, 6, 8, 49, 37)],
  ['Wed Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
  [' Sun, 06 Nov 1994 08:49:37 GMT\t', TIME],
  ['1994-11-06', undefined],
  ['On Sun Nov  6 08:49:37 1994', undefined],
  ['Sun Nov  6 08:49:37 1994 (x)', undefined],
  ['Sun, 06 Nov 1994 08:49:37 GMT+0100', undefined],
  ['Sun, 06 Nov 1994 08:49:37 CET', undefined],
  ['yesterday GMT', undefined],
  ['', undefined],
  [undefined, undefined],
])('an HTTP date in any of its forms is GMT: %s', (text, time) => expect(timeOfHttpDate(text)).toBe(time));

it('a source’s date has any of these forms, and only these', () => {
  for (const lastModified of ['Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])
    expect(judge({ ifModifiedSince: TIME }, { lastModified })).toBe(304);
  expect(judge({ ifModifiedSince: Date.parse('1994-11-06') }, { lastModified: '1994-11-06' })).toBeUndefined();
});

it('a source without a date matches none', () => {
  expect(judge({ ifModifiedSince: TIME }, {})).toBeUndefined();
  expect(judge({ ifUnmodifiedSince: TIME }, {})).toBeUndefined();
});
