import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checksum } from '../../pipelines/model/index.ts';
import { lockFile } from '../lib/lock-file.ts';
import { makeFolder } from '../lib/private-files.ts';
import { unlessMissing } from '../lib/unless-missing.ts';
import type { ReadFile } from '../repositories/format.ts';
import { LARGEST, partIn, setTime } from './metadata-part.ts';
import type { SharedFiles } from './store.ts';

/**
 * Files of metadata that were read, by their checksum. So an entry point is always that of the
 * revision in the catalog, whatever its feed has by now, and the files that it names can be had as
 * long as any client may ask for them.
 */
export interface MetadataFiles {
  /** Reads as the other one does, and keeps each file that was read to its end. */
  keeping(read: ReadFile): ReadFile;
  /** Whether a file with this checksum is kept. */
  has(checksum: Checksum): Promise<boolean>;
  /** Removes files that are older than an hour and not needed; none while somebody fills the folder. */
  sweep(isNeeded: (checksum: Checksum) => boolean): Promise<void>;
  /** The same files, which other machines need too. */
  sharedBy(shared: SharedFiles): MetadataFiles;
}

/** Bytes of all files that one reading of a repository keeps: its feed must not fill the disk. */
export const MOST_KEPT = 4 * LARGEST;
/** A file that was just read may be needed by a revision that is not published yet. */
export const HOUR = 3_600_000;

export const nameOf = ({ algorithm, value }: Checksum): string => `${algorithm}-${value}`;
const checksumOf = (name: string): Checksum => {
  const [, algorithm, value] = NAME.exec(name) ?? [];
  return { algorithm, value } as Checksum;
};
/** Whether a file of the folder is one that is kept, by its name. */
export const isKeptName = (name: string): boolean => NAME.test(name);
const NAME = /^([a-z0-9]+)-([0-9a-f]+)$/;
/** What another process may still be writing. */
const PARTIAL = /\.part$/;

interface Options {
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Bytes that one reading keeps. */
  readonly most?: number;
  readonly shared?: SharedFiles;
}

export const metadataFiles = (
  folder: string,
  { now = Date.now, most = MOST_KEPT, shared }: Options = {},
): MetadataFiles => ({
  keeping: (read) => {
    let left = most;
    return async function* (url, expected, state) {
      const algorithm = expected?.checksum?.algorithm ?? 'sha256';
      await using file = await partIn(folder, Math.min(LARGEST, left));
      const hash = createHash(algorithm);
      for await (const chunk of read(url, expected, state)) {
        hash.update(chunk);
        await file.write(chunk);
        left -= chunk.byteLength;
        yield chunk;
      }
      const checksum: Checksum = { algorithm, value: hash.digest('hex') };
      if (expected?.checksum && expected.checksum.value !== checksum.value) return;
      const name = nameOf(checksum);
      if ((await file.keepAs(name)) && shared) await share(shared, folder, name);
    };
  },

  has: async (checksum) => (shared ? shared.has(nameOf(checksum)) : isThere(join(folder, nameOf(checksum)))),

  sharedBy: (others) => metadataFiles(folder, { now, most, shared: others }),

  sweep: async (isNeeded) => {
    if (isBeingFilled(folder)) return;
    await shared?.sweep((name) => isNeeded(checksumOf(name)));
    for (const name of (await unlessMissing(readdir(folder))) ?? []) {
      const [, algorithm, value] = NAME.exec(name) ?? [];
      if (value === undefined && !PARTIAL.test(name)) continue;
      if (value !== undefined && isNeeded({ algorithm, value } as Checksum)) continue;
      const file = join(folder, name);
      const found = await unlessMissing(stat(file));
      if (found && now() - found.mtimeMs > HOUR) await rm(file, { force: true });
    }
  },
});

const PLACING = 'placing.lock';

/**
 * Keeps the files of a folder from sweeps until it is disposed of, by those that place files of any
 * age, long before a revision needs them. Throws if another process does so.
 */
export const fillingFolder = async (folder: string): Promise<Disposable> => {
  await makeFolder(folder);
  const lock = lockFile(join(folder, PLACING));
  if (!lock) throw new Error(`another process brings metadata to ${folder}; try again when it has ended`);
  return { [Symbol.dispose]: lock.release };
};

const isBeingFilled = (folder: string): boolean => {
  const file = join(folder, PLACING);
  if (!existsSync(file)) return false;
  const lock = lockFile(file);
  lock?.release();
  return lock === undefined;
};

/** Every machine states the same time of a file. */
const share = async (shared: SharedFiles, folder: string, name: string): Promise<void> => {
  const path = join(folder, name);
  const { mtimeMs } = await stat(path);
  await setTime(path, await shared.put(name, createReadStream(path), mtimeMs));
};

const isThere = async (file: string): Promise<boolean> => (await unlessMissing(stat(file))) !== undefined;
