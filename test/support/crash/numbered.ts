import { createHash } from 'node:crypto';
import type { CatalogEntry, Header } from '../../../pipelines/model/index.ts';

// For scripts that run without the test runner and so without pipeline.ts.

export const entryOfUnit = (unitId: string, more: Partial<CatalogEntry> = {}): CatalogEntry => ({
  path: `/content/${unitId}.rpm`,
  importerId: '0'.repeat(24),
  unitId,
  unitTypeId: 'rpm',
  url: `http://feed/${unitId}.rpm`,
  revision: 1,
  data: {},
  ...more,
});

/**
 * Content that another process can reproduce from its number: up to 600 KB. Every fourth has no
 * checksum in the catalog.
 */
export const contentOfNumber = (number: number): Buffer =>
  Buffer.alloc((number * 37_123) % 600_000, createHash('sha512').update(String(number)).digest());

export const entryOfNumber = (number: number): CatalogEntry => {
  const value = createHash('sha256').update(contentOfNumber(number)).digest('hex');
  return entryOfUnit(`unit-${number}`, number % 4 === 0 ? {} : { checksum: { algorithm: 'sha256', value } });
};

/** The header fields of the transfer of such a content. */
export const headersOfNumber = (number: number): readonly Header[] => [
  ['Content-Type', 'application/x-rpm'],
  ['ETag', `"${number}"`],
  ['Last-Modified', new Date(number * 1000).toUTCString()],
];
