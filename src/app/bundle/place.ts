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

/**
 * Puts a file in the places of all entries that have it. Its content was verified; it is compared once
 * more, by `isRight`, after its last byte. Rejects, with nothing half-done left, if a place cannot be filled.
 */
export const placeFile = async (
  entries: readonly CarriedEntry[],
  mtime: Date,
  bytes: AsyncIterable<Uint8Array>,
  {
    places,
    store,
    isRight,
  }: { readonly places: Places; readonly store: Pick<SaveStore, 'keep' | 'dispatch'>; readonly isRight: () => boolean },
): Promise<void> => {
  const targets: Target[] = [];
  try {
    const isKept = new Set<string>();
    for (const entry of entries) {
      if (!isMetadata(entry)) targets.push(copyTarget(entry, mtime, store));
      // It has one place, whatever its paths.
      else if (!isKept.has(nameOf(entry.checksum))) {
        isKept.add(nameOf(entry.checksum));
        targets.push(await metadataTarget(entry, mtime, places));
      }
    }
    for await (const chunk of bytes) for (const target of targets) await target.write(chunk);
    if (!isRight()) throw new Error('the file has changed while it was read');
    while (targets.length > 0) await targets.shift()?.finish();
  } catch (error) {
    for (const target of targets) await target.abort();
    throw new Error(messageOf(error), { cause: error });
  }
};
