import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { defer, filter, map } from 'rxjs';
import {
  type Candidate,
  type CatalogEntry,
  type Checksum,
  type FindCandidates,
  isWrongCopy,
  type StreamError,
} from '../../pipelines/model/index.ts';
import { NOTHING } from '../../pipelines/operators/at-once.ts';
import { contentType } from '../lib/content-type.ts';
import { inheritFile, makeFolder } from '../lib/private-files.ts';
import { unlessMissing } from '../lib/unless-missing.ts';
import { METADATA, type ReadFile } from '../repositories/format.ts';

/**
 * Files of metadata that were read, by their checksum. So an entry point is always that of the
 * revision in the catalog, whatever its feed has by now, and the files that it names can be had as
 * long as any client may ask for them.
 */
export interface MetadataFiles {
  /** Reads as the other one does, and keeps each file that was read to its end. */
  keeping(read: ReadFile): ReadFile;
  /** Whether a file with this checksum is kept. */
  has(checksum: Checksum): boolean;
  /** Removes files that are older than an hour and not needed. */
  sweep(isNeeded: (checksum: Checksum) => boolean): Promise<void>;
}

/** Bytes of the largest file that is kept. */
const LARGEST = 1024 ** 3;
/** Bytes of all files that one reading of a repository keeps: its feed must not fill the disk. */
export const MOST_KEPT = 4 * LARGEST;
/** A file that was just read may be needed by a revision that is not published yet. */
const HOUR = 3_600_000;

const nameOf = ({ algorithm, value }: Checksum): string => `${algorithm}-${value}`;
const NAME = /^([a-z0-9]+)-([0-9a-f]+)$/;
/** What another process may still be writing. */
const PARTIAL = /\.part$/;

export const metadataFiles = (folder: string, now: () => number = Date.now, most = MOST_KEPT): MetadataFiles => ({
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
      if (!expected?.checksum || expected.checksum.value === checksum.value) await file.keepAs(nameOf(checksum));
    };
  },

  has: (checksum) => statSync(join(folder, nameOf(checksum)), { throwIfNoEntry: false }) !== undefined,

  sweep: async (isNeeded) => {
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

interface Part extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>;
  keepAs(name: string): Promise<void>;
}

/** A file in the making. Metadata is read also where it cannot be kept: the feed still has it. */
const partIn = async (folder: string, most: number): Promise<Part> => {
  const path = join(folder, `${crypto.randomUUID()}.part`);
  let size = 0;
  let file: FileHandle | undefined = await makeFolder(folder).then(
    async () => {
      const made = await open(path, 'wx', 0o600);
      inheritFile(made.fd, path);
      return made;
    },
    () => undefined,
  );
  const giveUp = async () => {
    const opened = file;
    file = undefined;
    await opened?.close();
    if (opened) await rm(path, { force: true });
  };
  return {
    write: async (bytes) => {
      size += bytes.byteLength;
      if (size > most) await giveUp();
      await file?.writeFile(bytes).catch(giveUp);
    },
    keepAs: async (name) => {
      // Nothing was read if the file is still in the state that is known.
      if (!file || size === 0) return;
      // Synced before it gets its name, so that no failure of the machine leaves an empty one.
      await file
        .sync()
        .then(() => rename(path, join(folder, name)))
        .catch(giveUp);
    },
    [Symbol.asyncDispose]: giveUp,
  };
};

/** Identifies kept files among copies. */
const SOURCE = { kind: 'saved', id: 'metadata' };

/** Removes the kept file of a failed candidate, if it has become wrong. The feed may have the right one. */
export const dropWrong = async (candidate: Candidate, error: StreamError): Promise<void> => {
  if (candidate.source.id !== SOURCE.id || !isWrongCopy(candidate, error)) return;
  await rm(fileURLToPath(candidate.url), { force: true });
};

/** Emits the kept file of a metadata entry: a copy that needs no saving. */
export const keptMetadata =
  (folder: string): FindCandidates =>
  (entry: CatalogEntry) => {
    const { unitTypeId, checksum, path } = entry;
    if (unitTypeId !== METADATA || !checksum) return NOTHING;
    const file = join(folder, nameOf(checksum));
    return defer(() => unlessMissing(stat(file))).pipe(
      filter((found) => found !== undefined),
      map(({ mtime }) => ({
        entry,
        source: SOURCE,
        url: pathToFileURL(file).href,
        root: folder,
        headers: [
          ['Content-Type', contentType(path)],
          ['Last-Modified', mtime.toUTCString()],
        ],
      })),
    );
  };
