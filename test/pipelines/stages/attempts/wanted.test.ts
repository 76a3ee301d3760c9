import { expect, it } from '@jest/globals';
import { wanted } from '../../../../pipelines/stages/attempts/wanted.ts';
import { anEntry, aRequest } from '../../../support/pipeline.ts';

it.each([
  ['an end beyond the content is clamped', { first: 2, last: 99 }, 10, { first: 2, last: 9 }],
  ['an end just beyond the content is clamped', { first: 2, last: 10 }, 10, { first: 2, last: 9 }],
  ['the last byte stays', { first: 2, last: 9 }, 10, { first: 2, last: 9 }],
  ['an open end stays', { first: 2 }, 10, { first: 2 }],
  ['a suffix stays', { first: -99 }, 10, { first: -99 }],
  ['nothing is clamped if the size is unknown', { first: 2, last: 99 }, undefined, { first: 2, last: 99 }],
  ['nothing is clamped if the content is empty', { first: 0, last: 99 }, 0, { first: 0, last: 99 }],
])('%s', (_, range, size, expected) => {
  const { range: asked } = wanted(aRequest({ ranges: [range] }), anEntry(size === undefined ? {} : { size }));
  expect(asked).toEqual(expected);
});

it('a HEAD wants no part, whatever its If-Range', () => {
  const request = aRequest({ method: 'HEAD', ranges: [{ first: 2 }], conditions: { ifRange: '"1"' } });
  expect(wanted(request, anEntry())).toEqual({});
});
