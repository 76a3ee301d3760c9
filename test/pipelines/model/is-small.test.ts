import { expect, it } from '@jest/globals';
import { isSmall } from '../../../pipelines/model/index.ts';
import { anEntry, entryOf } from '../../support/pipeline.ts';

it.each([
  ['up to the limit', true, entryOf('a', { size: 10 })],
  ['above it', false, entryOf('a', { size: 11 })],
  ['of unknown size', false, entryOf('a')],
  ['without a checksum', false, anEntry({ size: 10 })],
  ['of which nothing is known', false, anEntry()],
])('content %s is verified before its head: %s', (_, small, entry) =>
  expect(isSmall(entry, { verifyWholeBelow: 10 })).toBe(small),
);
