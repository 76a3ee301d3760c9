import { expect, it } from '@jest/globals';
import type { CatalogEntry, SourceHead } from '../../../../pipelines/index.ts';
import { decodes } from '../../../../pipelines/stages/attempts/decodes.ts';
import { aCandidate, anEntry, entryOf, sourceHead } from '../../../support/pipeline.ts';

type Row = readonly [what: string, entry: CatalogEntry, coding: string | undefined, more: Partial<SourceHead>];

const known = entryOf('abc');
const sized = anEntry({ size: 3 });
const both = entryOf('abc', { size: 3 });

it.each<Row>([
  ['compressed on the fly, with a checksum', known, 'gzip', {}],
  ['compressed on the fly, with a size', sized, 'GZIP', {}],
  ['of another length than the catalog’s', both, 'x-gzip', { length: 2 }],
])('a body is decoded if it is %s', (_, entry, coding, more) => {
  const headers = [['Content-Encoding', coding ?? '']] as const;
  expect(decodes(aCandidate('feed', entry), sourceHead({ headers, ...more }))).toBe(true);
});

it.each<Row>([
  ['has no coding', both, undefined, {}],
  ['has another coding', both, 'br', {}],
  ['has several codings', both, 'gzip, br', {}],
  ['has the length of the catalog', both, 'gzip', { length: 3 }],
  ['has a length, and the catalog has none', known, 'gzip', { length: 3 }],
  ['has neither checksum nor size', anEntry(), 'gzip', {}],
  ['is named as a compressed file', { ...both, path: '/primary.xml.gz' }, 'gzip', {}],
  ['begins later', both, 'gzip', { from: 1 }],
  ['ends earlier', both, 'gzip', { last: 1 }],
])('a body is not decoded if it %s', (_, entry, coding, more) => {
  const headers = coding === undefined ? [] : ([['content-encoding', coding]] as const);
  expect(decodes(aCandidate('feed', entry), sourceHead({ headers, ...more }))).toBe(false);
});
