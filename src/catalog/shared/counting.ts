import { rangeBelow } from '../prefix.ts';
import type { Collections } from './database.ts';
import { type EntryDocument, newestFirst } from './documents.ts';
import type { View } from './view.ts';

/** MongoDB's form of `rangeBelow`. */
export const below = (prefix: string) => {
  const [$gte, $lt] = rangeBelow(prefix);
  return { $gte, $lt };
};

/**
 * The entries of one path that count, the newest first. Of two with the same importer and revision,
 * which a load leaves for a moment, only the newer one.
 */
export const counting = (documents: readonly EntryDocument[], view: View): readonly EntryDocument[] => {
  const seen = new Set<string>();
  return documents
    .filter(view.counts)
    .sort(newestFirst)
    .filter(({ importer_id, revision }) => {
      const name = `${importer_id} ${revision}`;
      return !seen.has(name) && seen.add(name);
    });
};

/** The newest revision of an importer below a prefix; 0 if there is none. */
export const newestRevision = async (
  { entries }: Collections,
  { head }: View,
  prefix: string,
  importerId: string,
): Promise<number> => {
  const [from, before] = rangeBelow(prefix);
  const ofImports = head.published
    .filter((one) => one.importer_id === importerId && `${one.prefix}/` >= from && `${one.prefix}/` < before)
    .map(({ revision }) => revision);
  const others = { importer_id: importerId, path: below(prefix), gen: { $in: [0, ...head.loads] } };
  const [newest] = await entries.find(others).sort({ revision: -1 }).limit(1).toArray();
  return Math.max(0, newest?.revision ?? 0, ...ofImports);
};
