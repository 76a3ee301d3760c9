import assert from 'node:assert/strict';
import { loadLines } from '../../../src/catalog/jsonl.ts';
import type { Tables } from '../../../src/catalog/sqlite/tables.ts';
import type { NewEntry } from '../../../src/catalog/stored-entry.ts';
import type { Target } from '../engine/target.ts';
import { asyncly, chunkingsOf } from '../invariants/chunkings.ts';
import { outcomeOfAsync } from '../invariants/outcome.ts';

/** Loads lines into memory. */
const load = async (pieces: readonly Buffer[]): Promise<readonly NewEntry[]> => {
  const written: NewEntry[] = [];
  const stage = () => ({
    write: (entries: readonly NewEntry[]) => written.push(...entries),
    conflicts: () => ({ shown: [] }),
    publishAsIs: () => written.length,
    discard: () => {},
  });
  await loadLines({ entries: { stage } } as unknown as Tables, 'a.jsonl', asyncly(pieces));
  return written;
};

export const target: Target = {
  about: 'entries of a catalog, as JSON a line',
  tokens: [
    ...['{', '}', '[', ']', '"', ':', ',', '\n', 'null', 'true', '"path":"/a"', '"importer_id":"', '0'.repeat(24)],
    ...[
      '"unit_id":"a"',
      '"unit_type_id":"rpm"',
      '"url":"http://a.example/a"',
      '"checksum":"',
      '"checksum_algorithm":"sha256"',
    ],
    ...[
      '0'.repeat(64),
      '"revision":1',
      '"data":{}',
      '"size":1',
      '__proto__',
      '\\u0000',
      '/../',
      '***@',
      '"replaced":true',
    ],
  ],
  check: async (input) => {
    let first: unknown;
    for (const pieces of chunkingsOf(input)) {
      const outcome = await outcomeOfAsync(() => load(pieces), Error);
      if (first !== undefined) assert.deepEqual(outcome, first, 'another result in other pieces');
      first ??= outcome;
      if (!('result' in outcome)) continue;
      for (const { path, size = 0 } of outcome.result) {
        assert.match(path, /^\/\P{Cc}*$/u);
        assert.ok(Number.isSafeInteger(size) && size >= 0);
      }
    }
  },
};
