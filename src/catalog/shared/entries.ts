import type { Child } from '../../../pipelines/model/index.ts';
import { METADATA } from '../../repositories/format.ts';
import { childOf, hasName, isSame, rangeAfter } from '../children.ts';
import { readAll } from '../mongodb/read-all.ts';
import { trimPrefix } from '../prefix.ts';
import type { StoreEntries } from '../store.ts';
import type { StoredEntry } from '../stored-entry.ts';
import type { RepositoryKey } from '../stored-repository.ts';
import { addEntry } from './add.ts';
import { below, counting, newestRevision } from './counting.ts';
import type { Collections } from './database.ts';
import { type EntryDocument, toEntry } from './documents.ts';
import { entryBefore } from './history.ts';
import { inBatches, removeAll } from './in-batches.ts';
import { removeAt, removeBelow } from './remove.ts';
import type { Session } from './session.ts';
import { makeSharedStaging } from './staging.ts';
import type { View } from './view.ts';

/** Which entries of a repository count. */
const ofRepository = (view: View, { prefix, importerId }: RepositoryKey) => {
  const own = trimPrefix(prefix);
  return { importer_id: importerId, prefix: own, gen: { $in: [...view.generationsOf({ importerId, prefix: own })] } };
};

export const findEntries = async ({ entries }: Collections, view: View, path: string): Promise<StoredEntry[]> =>
  counting(await entries.find({ path }).toArray(), view).map(toEntry);

/** What is directly below a folder, as the port Catalog emits it. */
export const findChildren = async (
  { entries }: Collections,
  view: View,
  folder: string,
  after: Child | undefined,
  limit: number,
): Promise<Child[]> => {
  const found: Child[] = [];
  let last = after;
  // A folder's own paths are skipped by a new query.
  for (let more = true; more && found.length < limit; ) {
    more = false;
    const [$gte, $lt] = rangeAfter(folder, last);
    const cursor = entries.find({ path: { $gte, $lt } }).sort({ path: 1, _id: -1 }).batchSize(limit);
    for await (const document of cursor) {
      if (!view.counts(document) || document.gone_since !== undefined) continue;
      const child = childOf(folder, toEntry(document));
      if (isSame(child, last)) continue;
      if (found.length === limit) break;
      last = child;
      if (hasName(child)) found.push(child);
      more = child.isFolder;
      if (more) break;
    }
  }
  return found;
};

export const sharedEntries = (session: Session): StoreEntries => {
  const { ask, asking, change } = session;

  async function* list(prefix: string, inOrder: 'path' | 'age' = 'path'): AsyncGenerator<StoredEntry> {
    const view = await asking(async (_, now) => now);
    const documents = readAll(ask, ({ entries }: Collections) =>
      entries.find({ path: below(prefix) }).sort(inOrder === 'path' ? { path: 1, _id: -1 } : { _id: 1 }),
    );
    if (inOrder === 'age') {
      for await (const document of documents) if (view.counts(document)) yield toEntry(document);
      return;
    }
    let ofPath: EntryDocument[] = [];
    for await (const document of documents) {
      if (ofPath.length > 0 && ofPath[0]?.path !== document.path) {
        yield* counting(ofPath, view).map(toEntry);
        ofPath = [];
      }
      ofPath.push(document);
    }
    yield* counting(ofPath, view).map(toEntry);
  }

  /** How many entries that count there are of each importer. */
  const countImporters = async (filter: object): Promise<Map<string, number>> => {
    const view = await asking(async (_, now) => now);
    const counts = new Map<string, number>();
    const projection = { importer_id: 1, prefix: 1, gen: 1 };
    for await (const document of readAll(ask, ({ entries }: Collections) => entries.find(filter, { projection })))
      if (view.counts(document)) counts.set(document.importer_id, (counts.get(document.importer_id) ?? 0) + 1);
    return counts;
  };

  return {
    list,
    find: (path) => asking((collections, view) => findEntries(collections, view, path)),
    children: (folder, after, limit) =>
      asking((collections, view) => findChildren(collections, view, folder, after, limit)),
    add: (entry) => change((one) => addEntry(one, entry)),
    listSingle: async function* () {
      const repositories = await asking(async ({ repositories }, view) => {
        const found = await repositories.find({}, { projection: { importer_id: 1, prefix: 1, gen: 1 } }).toArray();
        return new Set(found.filter(view.countsRepository).map((one) => `${one.importer_id} ${one.prefix}`));
      });
      for await (const entry of list('/'))
        if (entry.prefix === undefined || !repositories.has(`${entry.importerId} ${entry.prefix}`)) yield entry;
    },
    remove: (path, importerId) => change((one) => removeAt(one, path, importerId)),
    removeBelow: (prefix, importerId) => change((one) => removeBelow(one, prefix, importerId)),
    countOf: (prefix, importerId) =>
      asking(({ entries }, view) =>
        entries.countDocuments({ ...ofRepository(view, { prefix, importerId }), gone_since: { $exists: false } }),
      ),
    hasPackageBelow: (folder, repository) =>
      asking(async ({ entries }, view) => {
        const packages = { path: below(folder), ...ofRepository(view, repository), unit_type_id: { $ne: METADATA } };
        return (await entries.findOne(packages, { projection: { _id: 1 } })) !== null;
      }),
    metadataChecksums: async () => {
      const view = await asking(async (_, now) => now);
      const found = new Set<string>();
      const documents = readAll(ask, ({ entries }: Collections) => entries.find({ unit_type_id: METADATA }));
      for await (const document of documents)
        if (view.counts(document)) found.add(`${document.checksum_algorithm}-${document.checksum}`);
      const earlier = readAll(ask, ({ before }: Collections) => before.find({ unit_type_id: METADATA }));
      for await (const document of earlier) found.add(`${document.checksum_algorithm}-${document.checksum}`);
      return [...found];
    },
    revisionBelow: (prefix, importerId) =>
      asking((collections, view) => newestRevision(collections, view, prefix, importerId)),
    importersBelow: async (prefix) => [...(await countImporters({ path: below(prefix) })).keys()].sort(),
    countByImporter: () => countImporters({}),
    tidied: async function* (before) {
      const over = { gone_since: { $lte: before } };
      const isOver = async ({ entries }: Collections) =>
        (await entries.findOne(over, { projection: { _id: 1 } })) !== null;
      if (await ask(isOver))
        await change(async ({ entries, hold }) => ({ result: await removeAll<EntryDocument>(entries, over, hold) }));
      yield* inBatches(list('/', 'age'));
      const earlier = readAll(ask, (collections: Collections) =>
        collections.before.find({ unit_id: { $exists: true } }),
      );
      for await (const batch of inBatches(earlier)) yield batch.flatMap((one) => entryBefore(one) ?? []);
    },
    pages: (prefix) => inBatches(list(prefix)),
    stage: () => makeSharedStaging(session),
  };
};
