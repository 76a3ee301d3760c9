import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
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
import { unlessMissing } from '../lib/unless-missing.ts';
import { METADATA } from '../repositories/format.ts';
import { HOUR, nameOf } from './metadata-files.ts';
import { partIn, setTime } from './metadata-part.ts';
import type { SharedFiles } from './store.ts';

/** Fetches shared files, each once at a time; resolves to whether it is there and right. */
const fetching = (folder: string, shared: SharedFiles): ((checksum: Checksum) => Promise<boolean>) => {
  const running = new Map<string, Promise<boolean>>();
  const fetch = async (name: string, { algorithm, value }: Checksum): Promise<boolean> => {
    const found = await shared.get(name);
    if (!found) return false;
    await using file = await partIn(folder);
    const hash = createHash(algorithm);
    for await (const chunk of found.bytes) {
      hash.update(chunk);
      await file.write(chunk);
    }
    const isRight = hash.digest('hex') === value && (await file.keepAs(name));
    if (isRight) {
      await setTime(join(folder, name), found.modified);
      await removeOld(folder, name);
    }
    return isRight;
  };
  return (checksum) => {
    const name = nameOf(checksum);
    const fetched = running.get(name) ?? fetch(name, checksum).finally(() => running.delete(name));
    running.set(name, fetched);
    return fetched;
  };
};

/** Milliseconds for which a file stays on this disk that can be fetched again. */
const DAY = 24 * HOUR;

const removeOld = async (folder: string, except: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const found = name === except ? undefined : await unlessMissing(stat(join(folder, name)));
    if (found && Date.now() - found.ctimeMs > DAY) await rm(join(folder, name), { force: true });
  }
};

/** Identifies kept files among copies. */
const SOURCE = { kind: 'saved', id: 'metadata' };

/** Removes the kept file of a failed candidate, if it has become wrong. The feed may have the right one. */
export const dropWrong = async (candidate: Candidate, error: StreamError): Promise<void> => {
  if (candidate.source.id !== SOURCE.id || !isWrongCopy(candidate, error)) return;
  await rm(fileURLToPath(candidate.url), { force: true });
};

/**
 * Emits the kept file of a metadata entry: a copy that needs no saving. One that another machine has
 * kept is fetched first.
 */
export const keptMetadata = (folder: string, shared?: SharedFiles): FindCandidates => {
  const fetchOnce = shared && fetching(folder, shared);
  return (entry: CatalogEntry) => {
    const { unitTypeId, checksum, path } = entry;
    if (unitTypeId !== METADATA || !checksum) return NOTHING;
    const file = join(folder, nameOf(checksum));
    const find = () => unlessMissing(stat(file));
    return defer(async () => (await find()) ?? ((await fetchOnce?.(checksum)) ? find() : undefined)).pipe(
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
};
