import { expect, it } from '@jest/globals';
import { withLifetime } from '../../../src/catalog/lifetime.ts';
import { anEntry } from '../../support/pipeline.ts';

const digest = 'a'.repeat(64);

it.each([
  ['/r/repodata/repomd.xml', 'metadata', 60],
  ['/r/dists/stable/main/binary-amd64/Packages.xz', 'metadata', 60],
  [`/r/repodata/${digest}-primary.xml.gz`, 'metadata', undefined],
  ['/r/dists/stable/main/by-hash/MD5Sum/0123456789abcdef0123456789ABCDEF', 'metadata', undefined],
  [`/${digest}/repodata/repomd.xml`, 'metadata', 60],
  ['/r/bear.rpm', 'rpm', undefined],
])('%s of type %s may be kept for %s', (path, unitTypeId, maxAge) => {
  expect(withLifetime(() => 60)(anEntry({ path, unitTypeId })).maxAge).toBe(maxAge);
});
