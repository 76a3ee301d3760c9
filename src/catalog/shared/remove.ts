import { rangeBelow, trimPrefix } from '../prefix.ts';
import { below } from './counting.ts';
import { inBatches } from './in-batches.ts';
import { forget } from './kept-revisions.ts';
import type { Change, Outcome } from './writer.ts';

interface Removed {
  readonly result: number;
  readonly outcome?: Outcome;
}

/** Removes the entries of a path; with an importer, only its own. */
export const removeAt = async (
  { entries, before, view }: Change,
  path: string,
  importerId: string | undefined,
): Promise<Removed> => {
  const ofImporter = importerId === undefined ? {} : { importer_id: importerId };
  const found = (await entries.find({ path, ...ofImporter }).toArray()).filter(view.counts);
  await entries.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } });
  await before.deleteMany({ path, ...ofImporter });
  return { result: found.length };
};

/**
 * Removes what is below a prefix, and the repositories there. The entries of an import disappear at
 * once, as its publication is withdrawn; others one after the other.
 */
export const removeBelow = async (change: Change, prefix: string, importerId: string | undefined): Promise<Removed> => {
  const { entries, repositories, view, hold } = change;
  const own = trimPrefix(prefix);
  const [from, before] = rangeBelow(prefix);
  const ofImporter = importerId === undefined ? {} : { importer_id: importerId };
  const isWithin = (one: { readonly importer_id: string; readonly prefix: string }): boolean =>
    `${one.prefix}/` >= from &&
    `${one.prefix}/` < before &&
    (importerId === undefined || one.importer_id === importerId);
  const withdrawn = view.head.published.filter(isWithin);
  const isWithdrawn = (one: { readonly importer_id: string; readonly prefix?: string; readonly gen: number }) =>
    withdrawn.some((other) => other.gen === one.gen && other.prefix === one.prefix);
  // Imports may have entries beside their prefix.
  const there = { $or: [{ path: below(prefix) }, { prefix: own }, { prefix: below(prefix) }], ...ofImporter };
  const projection = { gen: 1, importer_id: 1, prefix: 1 };
  let removed = 0;
  for await (const batch of inBatches(entries.find(there, { projection }))) {
    removed += batch.filter(view.counts).length;
    const others = batch.filter((one) => !isWithdrawn(one)).map(({ _id }) => _id);
    if (others.length > 0) await entries.deleteMany({ _id: { $in: others } });
    await hold();
  }
  await repositories.deleteMany({ $or: [{ prefix: own }, { prefix: below(prefix) }], ...ofImporter });
  await forget(change, { $or: [{ prefix: own }, { prefix: below(prefix) }] }, importerId);
  return {
    result: removed,
    outcome: { published: view.head.published.filter((one) => !withdrawn.includes(one)), retired: withdrawn },
  };
};
