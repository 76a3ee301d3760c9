import { describe, expect } from '@jest/globals';
import { CACHES } from '../caches/caches.ts';
import { askWhole } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { openOrigins } from '../support/origin.ts';
import { processes } from '../support/processes.ts';
import { itNeeding } from '../support/repositories.ts';

const start = processes();
const folder = temporaryFolders();
const openOrigin = openOrigins();

describe.each(CACHES)('Behind $name', (cache) => {
  itNeeding([cache.program])(
    'several ranges are answered with these, on a miss and on a hit, and the file stays',
    async () => {
      const origin = await openOrigin();
      const { url } = await cache.start(start, folder(), origin.url);
      const kept = origin.offer('/kept.rpm', 1000);
      const missed = origin.offer('/missed.rpm', 1000);
      await askWhole(`${url}/kept.rpm`);
      for (const [path, { body }] of [
        ['/kept.rpm', kept],
        ['/missed.rpm', missed],
      ] as const)
        for (const [first, second] of [
          [100, 300],
          [300, 100],
        ] as const) {
          const range = `bytes=${first}-${first + 9},${second}-${second + 9}`;
          const { status, headers, body: parts } = await askWhole(url + path, { Range: range });
          expect({ status, headers }).toMatchObject({
            status: 206,
            headers: { 'content-type': expect.stringMatching(/^multipart\/byteranges/) },
          });
          for (const from of [first, second]) expect(parts.includes(body.subarray(from, from + 10))).toBe(true);
        }
      const whole = await askWhole(`${url}/kept.rpm`);
      expect(whole).toMatchObject({ status: 200, sha256: kept.sha256 });
      expect(whole.headers['x-cache']).toMatch(/^HIT/);
    },
  );
});
