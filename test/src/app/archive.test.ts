import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from '@jest/globals';
import { createArchive, readArchive } from '../../../src/app/backup/archive.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { tinyDisk } from '../../support/tiny-disk.ts';

const folder = temporaryFolders();

it('an archive on a full disk says so, and leaves nothing', async () => {
  const disk = tinyDisk();
  if (!disk) return;
  // More than waits for the disk.
  const chunks = Array.from({ length: 20 }, () => Buffer.alloc(1024 * 1024));
  {
    await using archive = await createArchive(join(disk.folder, 'the.bundle'), 'bundle');
    const added = archive.add('large', { size: 20 * 1024 * 1024, mtime: new Date(0) }, Readable.from(chunks));
    await expect(added).rejects.toThrow(/the\.bundle cannot be made: the disk is full$/);
  }
  const left = readdirSync(disk.folder);
  disk.free();
  expect(left).toEqual([]);
});

it('an archive that two make at the same time is that of the second, and the first says so', async () => {
  const own = folder();
  const file = join(own, 'the.bundle');
  const content = Buffer.from('the bear');
  const add = (archive: Awaited<ReturnType<typeof createArchive>>, name: string) =>
    archive.add(name, { size: content.length, mtime: new Date(0) }, Readable.from([content]));
  {
    await using second = await (async () => {
      await using first = await createArchive(file, 'bundle');
      await add(first, 'of the first');
      const other = await createArchive(file, 'bundle');
      await expect(first.finish()).rejects.toThrow('another command makes it at the same time');
      return other;
    })();
    await add(second, 'of the second');
    await second.finish();
  }
  const names: string[] = [];
  await readArchive(
    file,
    async (name, _, bytes) => {
      for await (const __ of bytes);
      names.push(name);
    },
    'bundle',
  );
  expect([names, readdirSync(own)]).toEqual([['of the second'], ['the.bundle']]);
});
