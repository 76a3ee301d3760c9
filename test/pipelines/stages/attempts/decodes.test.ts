import { expect, it } from '@jest/globals';
import type { CatalogEntry, SourceHead } from '../../../../pipelines/index.ts';
import { decodes } from '../../../../pipelines/stages/attempts/decodes.ts';
import { aCandidate, anEntry, entryOf, sourceHead } from '../../../support/pipeline.ts';

type Row = readonly [what: string, entry: CatalogEntry, coding: string | undefined, more: Partial<SourceHead>];

const known = entryOf('abc');
const sized = anEntry({ size: 3 });
const both = entryOf('abc', { size: 3 });

const headOf = (coding: string | undefined, more: Partial<SourceHead>) =>
  sourceHead({ headers: coding === undefined ? [] : [['Content-Encoding', coding]], ...more });

it('a body is decoded at once if its length is not that of the catalog', () => {
  expect(decodes(aCandidate('feed', both), headOf('GZIP', { length: 2 }))).toBe(true);
  expect(decodes(aCandidate('feed', sized), headOf('x-gzip', { length: 2 }))).toBe(true);
});

it.each<Row>([
  ['compressed on the fly, with a checksum', both, 'gzip', {}],
  ['compressed on the fly, with a size', sized, 'gzip', {}],
])('a body is decoded once the same one was found wrong, if it is %s', (_, entry, coding, more) => {
  const candidate = aCandidate('feed', entry);
  expect(decodes(candidate, headOf(coding, more))).toBe(false);
  expect(decodes(candidate, headOf(coding, more), () => true)).toBe(true);
});

it.each<Row>([
  ['has no coding', both, undefined, {}],
  ['has another coding', both, 'br', {}],
  ['has a coding with a similar name', both, 'xx-gzip', {}],
  ['has several codings', both, 'gzip, br', {}],
  ['has the length of the catalog', both, 'gzip', { length: 3 }],
  ['is of unknown size', known, 'gzip', {}],
  ['has a length, and the catalog has none', known, 'gzip', { length: 3 }],
  ['is named as a compressed file', { ...both, path: '/primary.xml.gz' }, 'gzip', {}],
  ['begins later', both, 'gzip', { from: 1 }],
  ['ends earlier', both, 'gzip', { last: 1 }],
])('a body is never decoded if it %s', (_, entry, coding, more) =>
  expect(decodes(aCandidate('feed', entry), headOf(coding, more), () => true)).toBe(false),
);
