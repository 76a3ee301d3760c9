import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSidecar, sidecarChecksum, sidecarOf } from '../../../src/saves/copies/sidecar.ts';
import type { Target } from '../engine/target.ts';
import { outcomeOf } from '../invariants/outcome.ts';

const checksum = { algorithm: 'sha256', value: '0'.repeat(64) } as const;
const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'a.rpm');

/** What others wrote, with a sum that is right. */
const withSum = (text: string): string | undefined => {
  const about = outcomeOf(() => JSON.parse(text), SyntaxError);
  if ('error' in about) return undefined;
  const sum = createHash('sha256').update(JSON.stringify(about.result)).digest('hex');
  return JSON.stringify({ version: 1, sum, about: about.result });
};

export const target: Target = {
  about: 'the file beside a saved copy, with a right and a wrong sum',
  tokens: [
    ...[
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      'null',
      '"checksum":{"algorithm":"sha256","value":"',
      '0'.repeat(64),
      '"headers":[]',
    ],
    ...[
      '["ETag","a"]',
      '"blocks":{"size":65536,"length":1,"modified":"1","crc32":"AAAAAA=="}',
      '"length":',
      '65536',
      '1e400',
    ],
  ],
  check: async (input) => {
    const text = input.toString();
    for (const written of [text, withSum(text)]) {
      if (written === undefined) continue;
      writeFileSync(sidecarOf(path), written);
      const found = await sidecarChecksum(path);
      if (found) assert.equal(typeof found.value, 'string', 'a checksum that is not a text');
      const described = await readSidecar({ path, checksum });
      if (described === undefined || described === 'damaged') continue;
      for (const [name, value] of described.headers)
        assert.deepEqual([typeof name, typeof value], ['string', 'string']);
      if (described.blocks) assert.ok(Number.isSafeInteger(described.blocks.length) && described.blocks.length >= 0);
    }
  },
};
