import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { StreamError } from '../../../pipelines/model/errors.ts';
import { BoundExceeded } from '../../../src/repositories/bounds.ts';
import type { FoundUnit, Repository, RepositoryItem } from '../../../src/repositories/format.ts';
import { OddEntry } from '../../../src/repositories/odd-entry.ts';
import { chunkingsOf } from './chunkings.ts';
import { type Outcome, outcomeOfAsync } from './outcome.ts';

type Files = Readonly<Record<string, readonly Uint8Array[]>>;

/** A repository of these files. */
export const repositoryOf = (files: Files): Repository => ({
  base: 'http://feed.example/repo/',
  read: async function* (path) {
    const pieces = files[path];
    if (!pieces) throw new StreamError('SOURCE_MISSING', 'feed', `no ${path}`);
    yield* pieces;
  },
  missing: () => {},
  leftOut: () => {},
  bypassed: () => {},
});

/** Reads files with a file in pieces. */
type Read = (pieces: readonly Uint8Array[]) => AsyncIterable<FoundUnit>;

/**
 * Checks that metadata leads to the same items, or to the same error with the place, in whatever
 * pieces it comes; and that a client can ask for each item.
 */
export const checkMetadata = async (input: Buffer, read: Read): Promise<void> => {
  let first: Outcome<FoundUnit[]> | undefined;
  for (const pieces of chunkingsOf(input)) {
    const outcome = await outcomeOfAsync(() => collect(read(pieces)), Error, BoundExceeded, OddEntry, StreamError);
    if (first) assert.deepEqual(withoutPlace(outcome), withoutPlace(first), 'another result in other pieces');
    first ??= outcome;
  }
  if (first && 'result' in first) for (const item of first.result) checkItem(item);
};

/** The XML parser reports some errors at the end of a piece, and another one if both are in one piece. */
const withoutPlace = <T>(outcome: Outcome<T>): Outcome<T> =>
  'error' in outcome
    ? { error: outcome.error.replace(/\d+:\d+: /g, '').replace(/(not well-formed XML): .*/s, '$1') }
    : outcome;

const collect = async (items: AsyncIterable<FoundUnit>): Promise<FoundUnit[]> => {
  const all: FoundUnit[] = [];
  for await (const item of items) all.push(item);
  return all;
};

const checkItem = ({ path, checksum, size }: RepositoryItem): void => {
  assert.ok(!path.startsWith('/'), 'a path that is absolute');
  assert.ok(
    !path
      .split('/')
      .slice(path.startsWith('../') ? path.lastIndexOf('../') / 3 + 1 : 0)
      .includes('..'),
  );
  assert.doesNotMatch(path, /[\p{Cc}--[\x80-\x9f]]/v, 'a path with control characters');
  assert.ok(size === undefined || (Number.isSafeInteger(size) && size >= 0), 'a size that is not one');
  assert.ok(checksum === undefined || /^[0-9a-f]{32,128}$/.test(checksum.value), 'a checksum that is not one');
};

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
