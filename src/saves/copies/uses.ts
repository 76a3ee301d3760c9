import { utimes } from 'node:fs/promises';
import type { CatalogEntry } from '../../../pipelines/model/index.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import { findCopy, keyOf } from './names.ts';
import type { Shelf } from './shelf.ts';
import { sidecarOf } from './sidecar.ts';
import { idOf } from './unwanted.ts';

/** When the copy of an entry was last used, in milliseconds since 1970; `undefined` if there is none. */
export type CopyUses = (entry: CatalogEntry) => number | undefined;

/** The uses of all copies, as they are now. A use of the last time may be missing (`unwritten`). */
export const copyUses = async (shelf: Pick<Shelf, 'copies'>): Promise<CopyUses> => {
  const uses = new Map<number, number>();
  for await (const { key, usedAt } of shelf.copies()) uses.set(idOf(key), usedAt);
  return (entry) => uses.get(idOf(keyOf(entry)));
};

/** Sets the time of a copy's last use, if there is a copy. */
export const setUse = async (folder: string, entry: CatalogEntry, usedAt: number): Promise<void> => {
  const copy = await findCopy(folder, entry);
  if (copy) await unlessMissing(utimes(sidecarOf(copy.path), usedAt / 1000, usedAt / 1000));
};
