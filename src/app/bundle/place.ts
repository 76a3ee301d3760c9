import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { filter, firstValueFrom, toArray } from 'rxjs';
import { nameOf } from '../../catalog/metadata-files.ts';
import { partIn, setTime } from '../../catalog/metadata-part.ts';
import type { SharedFiles } from '../../catalog/store.ts';
import { messageOf } from '../../lib/thrown.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import { METADATA } from '../../repositories/format.ts';
import { findCopy } from '../../saves/copies/names.ts';
import type { SaveStore } from '../../saves/copies/store.ts';
import type { CarriedEntry } from './content.ts';

/** The files of a bundle that are not in their places, each with the entries that have it. */
export type Needed = ReadonlyMap<string, readonly CarriedEntry[]>;

export interface Places {
  readonly saveDir: string;
  /** The folder of kept metadata. */
  readonly metadata: string;
  readonly shared?: SharedFiles;
}

/** Whether the file of an entry belongs to kept metadata, which has no empty ones, and not to the copies. */
export const isMetadata = ({ unitTypeId, size }: CarriedEntry): boolean => unitTypeId === METADATA && size > 0;

/** Whether the file of an entry is in its place, with its size. */
export const isThere = async (entry: CarriedEntry, { saveDir, metadata, shared }: Places): Promise<boolean> => {
  if (!isMetadata(entry)) return Number((await findCopy(saveDir, entry))?.stats.size) === entry.size;
  const name = nameOf(entry.checksum);
  const found = await unlessMissing(stat(join(metadata, name)));
  return found?.size === entry.size && ((await shared?.has(name)) ?? true);
};

/** Places that are filled at a time: one content may have any number of paths. */
const AT_ONCE = 32;

/** Takes the bytes of one file. `finish` gives it its place. */
interface Target {
  write(bytes: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  abort(): Promise<void>;
}

const metadataTarget = async ({ checksum, path }: CarriedEntry, mtime: Date, places: Places): Promise<Target> => {
  const part = await partIn(places.metadata);
  const name = nameOf(checksum);
  const file = join(places.metadata, name);
  return {
    write: part.write,
    finish: async () => {
      if (!(await part.keepAs(name))) throw new Error(`${path}: cannot be written to ${places.metadata}`);
      const modified = mtime.getTime();
      await setTime(file, (await places.shared?.put(name, createReadStream(file), modified)) ?? modified);
    },
    abort: async () => {
      await part[Symbol.asyncDispose]();
    },
  };
};

const copyTarget = (entry: CarriedEntry, mtime: Date, store: Pick<SaveStore, 'keep' | 'dispatch'>): Target => {
  const writer = store.keep(entry, entry.size, [['Last-Modified', mtime.toUTCString()]]);
  if (!writer) throw new Error(`${entry.path}: no copy can be made; it may exceed save_limit`);
  return {
    write: async (bytes) => {
      // The disk may be slower than the bundle.
      if (writer.basin) await firstValueFrom(writer.basin.ready.pipe(filter((open) => open)));
      writer.write(bytes);
    },
    finish: async () => {
      writer.commit();
      // Waits for the commit, and knows whether there is a right copy now.
      const [problem] = await firstValueFrom(
        store.dispatch({ id: 0, requestId: 'bundle', entry, failures: 0 }).pipe(toArray()),
      );
      if (problem !== undefined) throw new Error(`${entry.path}: its copy could not be made`);
    },
    abort: async () => writer.abort(),
  };
};

interface Parts {
  readonly places: Places;
  readonly store: Pick<SaveStore, 'keep' | 'dispatch'>;
}

/**
 * Puts a file in the places of all entries that have it. Its content was verified; it is compared once
 * more after its last byte. Rejects, with nothing half-done left, if a place cannot be filled.
 */
export const placeFile = async (
  entries: readonly CarriedEntry[],
  mtime: Date,
  bytes: AsyncIterable<Uint8Array>,
  parts: Parts,
): Promise<void> => {
  // As metadata it has one place, whatever its paths.
  const all = [...entries.filter(isMetadata).slice(0, 1), ...entries.filter((entry) => !isMetadata(entry))];
  for (let at = 0; at < all.length; at += AT_ONCE)
    await fill(all.slice(at, at + AT_ONCE), mtime, at === 0 ? bytes : contentOf(all[0], parts.places), parts);
};

/** Reads what is in its place. */
async function* contentOf(entry: CarriedEntry | undefined, { saveDir, metadata }: Places): AsyncGenerator<Uint8Array> {
  if (!entry) return;
  const path = isMetadata(entry) ? join(metadata, nameOf(entry.checksum)) : (await findCopy(saveDir, entry))?.path;
  if (path === undefined) throw new Error('its copy was removed');
  yield* createReadStream(path);
}

const fill = async (
  entries: readonly CarriedEntry[],
  mtime: Date,
  bytes: AsyncIterable<Uint8Array>,
  { places, store }: Parts,
): Promise<void> => {
  const targets: Target[] = [];
  const [{ checksum } = {}] = entries;
  const hash = createHash(checksum?.algorithm ?? 'sha256');
  try {
    for (const entry of entries)
      targets.push(isMetadata(entry) ? await metadataTarget(entry, mtime, places) : copyTarget(entry, mtime, store));
    for await (const chunk of bytes) {
      hash.update(chunk);
      for (const target of targets) await target.write(chunk);
    }
    if (hash.digest('hex') !== checksum?.value) throw new Error('the file has changed while it was read');
    while (targets.length > 0) await targets.shift()?.finish();
  } catch (error) {
    for (const target of targets) await target.abort();
    throw new Error(messageOf(error), { cause: error });
  }
};
