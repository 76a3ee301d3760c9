import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createSemaphore } from '../../../../src/lib/semaphore.ts';
import { makeEviction } from '../../../../src/saves/copies/eviction.ts';
import { folderShelf } from '../../../../src/saves/copies/folder-shelf.ts';
import { temporaryFolders } from '../../../support/folder.ts';
import { write } from '../../../support/repositories.ts';

const folder = temporaryFolders();

it('removes no copy for one that came during the scan, and that the scan has found', async () => {
  const copies = folder();
  for (const name of ['aa/1.rpm', 'bb/2.rpm']) write(join(copies, name), Buffer.alloc(300));
  const errors: unknown[] = [];
  const eviction = makeEviction({
    ...{ shelf: folderShelf({ folder: copies, semaphore: createSemaphore(2) }), limit: () => 500, now: Date.now },
    exclusively: (_, work) => work(),
    onError: (error) => errors.push(error),
  });
  eviction.taken(300);
  await eviction.over();
  const left = readdirSync(copies, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.rpm'));
  expect([errors, left.length, eviction.figures()]).toEqual([[], 1, { bytes: 300, evicted: 1, evictedBytes: 300 }]);
});
