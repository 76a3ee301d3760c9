import type { CatalogEntry } from '../../../pipelines/model/index.ts';
import type { Eviction } from './eviction.ts';
import { keyOf } from './names.ts';
import type { Shelf } from './shelf.ts';

/** What a sweep removed. */
export interface Swept {
  readonly copies: number;
  readonly bytes: number;
}

/** Removes the copies that no entry of the catalog is of. */
export type Sweep = (entries: AsyncIterable<readonly CatalogEntry[]>, unusedFor: number) => Promise<Swept>;

interface Parts {
  readonly shelf: Pick<Shelf, 'copies'>;
  readonly eviction: Pick<Eviction, 'drop'>;
  /** Whether no other process makes copies in the folder: its catalog may be another one. */
  readonly isAlone: () => boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const NOTHING: Swept = { copies: 0, bytes: 0 };

/**
 * Milliseconds that a copy has been without an entry: an operator may import again what was just
 * removed.
 */
const WITHOUT = 3_600_000;

/**
 * Digits of a key that tell copies apart: a number for each copy takes a tenth of the memory. If two
 * were alike, one would stay.
 */
const DIGITS = 12;
export const idOf = (key: string): number => Number.parseInt(key.slice(0, DIGITS), 16);

/**
 * A copy is removed once no entry was there at two sweeps an hour apart, and nothing has used it for
 * `unusedFor` milliseconds. So content that is served without an entry stays as long as clients ask
 * for it. Resolves to what was removed. Rejects, with nothing removed, if the entries cannot be read.
 */
export const makeSweep = ({ shelf, eviction, isAlone, now }: Parts): Sweep => {
  let without: ReadonlyMap<number, number> = new Map();

  return async (entries, unusedFor) => {
    const began = now();
    const ids = new Set<number>();
    for await (const { key } of shelf.copies()) ids.add(idOf(key));
    // Read to its end in any case: it does more than to be read.
    for await (const step of entries) for (const entry of ids.size > 0 ? step : []) ids.delete(idOf(keyOf(entry)));
    const before = without;
    without = new Map([...ids].map((id) => [id, before.get(id) ?? began]));
    if (ids.size === 0 || !isAlone()) return NOTHING;
    let swept = NOTHING;
    for await (const { key, path } of shelf.copies()) {
      if (began - (without.get(idOf(key)) ?? began) < WITHOUT) continue;
      const bytes = await eviction.drop(path, began - unusedFor);
      if (bytes !== undefined) swept = { copies: swept.copies + 1, bytes: swept.bytes + bytes };
    }
    return swept;
  };
};
