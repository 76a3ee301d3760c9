import type { NewEntry, StoredEntry } from '../stored-entry.ts';
import { type EntryDocument, idOf, toDocument, toEntry } from './documents.ts';
import type { Change } from './writer.ts';

type Content = Pick<EntryDocument, 'checksum' | 'replaced'>;

/**
 * Whether a path that had, or has, one content may now have another: without a checksum this is
 * unknown.
 */
export const mayDiffer = (before: Content, now: Content): boolean =>
  before.replaced === true || before.checksum === undefined || before.checksum !== now.checksum;

/** Writes an entry as the newest revision of its path and importer; removes earlier ones. */
export const addEntry = async (
  { entries, view, gen }: Change,
  entry: Omit<NewEntry, 'revision'>,
): Promise<{ readonly result: StoredEntry }> => {
  const { path } = entry;
  const there = (await entries.find({ path }).toArray()).filter(view.counts);
  const earlier = there.filter(({ importer_id }) => importer_id === entry.importerId);
  const revision = Math.max(0, ...earlier.map((one) => one.revision)) + 1;
  const added = toDocument(idOf(gen, 0), 0, { ...entry, revision });
  const replaced = there.some((one) => mayDiffer(one, added));
  const document = { ...added, ...(replaced && { replaced }) };
  if (replaced) await entries.updateMany({ path }, { $set: { replaced } });
  await entries.insertOne(document);
  await entries.deleteMany({ _id: { $in: earlier.map(({ _id }) => _id) } });
  return { result: toEntry(document) };
};
