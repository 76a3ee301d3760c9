import { statfs } from 'node:fs/promises';
import type { Settings } from '../../config/schema.ts';
import { makeFolder } from '../../lib/private-files.ts';
import { storedCopies } from '../../saves/copies/inventory.ts';
import { saveLimitOf } from '../save-limit.ts';
import { isMetadata, type Needed } from './place.ts';

/** Rejects if the files need more room than there is: no other copies should have to go. */
export const checkRoom = async (needed: Needed, settings: Settings): Promise<void> => {
  const { saveDir } = settings;
  let bytes = 0;
  for (const entries of needed.values()) for (const entry of entries) if (!isMetadata(entry)) bytes += entry.size;
  await makeFolder(saveDir);
  const { bavail, bsize } = await statfs(saveDir);
  if (bytes > bavail * bsize)
    throw new Error(`the copies need ${bytes} bytes, and the disk of ${saveDir} has room for ${bavail * bsize}`);
  const limit = saveLimitOf(settings);
  if (limit === 0) return;
  let kept = 0;
  for await (const { stats } of storedCopies(saveDir)) kept += Number(stats.size);
  if (kept + bytes > limit)
    throw new Error(
      `the copies need ${bytes} bytes in addition to ${kept}, which exceeds save_limit (${limit} bytes): others would go, and nothing could bring them back; raise it, or set it to 0`,
    );
};
