import { from, mergeMap, type Observable } from 'rxjs';
import { type Access, type Catalog, type CatalogEntry, StreamError } from '../../../pipelines/model/index.ts';
import { AtOnce } from '../../../pipelines/operators/at-once.ts';
import { isOnDisk, rootAt } from '../../lib/plain-path.ts';
import { accessOf } from '../access.ts';
import { findOffers } from '../mongodb/offers.ts';
import { repeatInterrupted } from '../mongodb/repeat-interrupted.ts';
import { configText } from '../store.ts';
import type { StoredEntry } from '../stored-entry.ts';
import { keepAnswers } from './answers.ts';
import { type Collections, PLACES } from './database.ts';
import { findChildren, findEntries } from './entries.ts';
import { findImporter } from './importers.ts';
import type { SharedStore } from './open.ts';
import { repositoryOf } from './repository-documents.ts';
import { findUnitKey } from './units.ts';
import type { View } from './view.ts';

interface Options {
  /** Milliseconds that the database may work on one query. */
  readonly maxTime: number;
  /** Milliseconds since 1970. Decides which offers have expired. */
  readonly now?: () => number;
}

/** The port for requests, from which the answer for a path can be dropped. */
export interface SharedCatalog extends Catalog {
  forget(path: string): void;
}

/**
 * The port for requests. Each answer is of one moment, a second old at most: a lookup is one query by
 * the index on paths, or none if the path was asked for a moment ago; credentials are read once for each change of the catalog.
 */
export const sharedCatalog = (store: SharedStore, { maxTime, now = Date.now }: Options): SharedCatalog => {
  const answers = keepAnswers();
  const { database, watch } = store;
  const asking = <T>(question: (collections: Collections, view: View) => Promise<readonly T[]>): Observable<T> =>
    database
      .ask(async (collections) => question(collections, await watch.recent()))
      .pipe(repeatInterrupted(maxTime), mergeMap(from));

  /** An imported file on disk lies in the folder of its repository. */
  const withRoot = async (collections: Collections, view: View, entry: StoredEntry): Promise<CatalogEntry> => {
    const { prefix, importerId } = entry;
    if (prefix === undefined || !isOnDisk(entry.url)) return entry;
    return { ...entry, ...rootAt((await repositoryOf(collections, view, { prefix, importerId }))?.base) };
  };

  /** What was added within the last second is found, too. */
  const findNow = async (collections: Collections, view: View, path: string): Promise<StoredEntry[]> => {
    const found = await findEntries(collections, view, path);
    if (found.length > 0) return found;
    const now = await watch.fresh();
    return now.head.version === view.head.version ? [] : findEntries(collections, now, path);
  };

  const known = new Map<string, { readonly version: number; readonly config: string; readonly access: Access }>();
  /** The same object as long as its importer is unchanged: sources recognize it, and prepare connections once. */
  const findAccess = async (collections: Collections, view: View, id: string): Promise<Access> => {
    const { version } = view.head;
    const before = known.get(id);
    if (before?.version === version) return before.access;
    const importer = await findImporter(collections, id);
    if (!importer) {
      known.delete(id);
      throw new StreamError('SOURCE_BROKEN', 'catalog', `importer ${id} is not in the catalog`);
    }
    const config = configText(importer.config);
    const access = before?.config === config ? before.access : accessOf(importer.config);
    known.set(id, { version, config, access });
    return access;
  };

  return {
    spelling: 'decoded',
    lookup: (path) => {
      const now = watch.known();
      const there = now && answers.of(path, now.head.version);
      if (there) return new AtOnce(() => there);
      return asking(async (collections, view) => {
        const stored = await findNow(collections, view, path);
        const found = await Promise.all(stored.map((entry) => withRoot(collections, view, entry)));
        if (found.length > 0) answers.keep(path, view.head.version, found);
        return found;
      });
    },
    forget: answers.forget,
    children: (folder, after, limit) =>
      asking((collections, view) => findChildren(collections, view, folder, after, limit)),
    access: (importerId) => asking(async (collections, view) => [await findAccess(collections, view, importerId)]),
    offers: ({ unitTypeId, unitId }) =>
      asking(async (collections, view) => {
        const key = await findUnitKey(collections, view, unitTypeId, unitId);
        return key ? findOffers(collections.db, unitTypeId, key, now() / 1000, maxTime, PLACES.content) : [];
      }),
  };
};
