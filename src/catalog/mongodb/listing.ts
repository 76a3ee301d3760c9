import type { Db, Document, FindCursor } from 'mongodb';
import { firstValueFrom } from 'rxjs';
import { messageOf } from '../../lib/thrown.ts';
import type { ListedEntry, ListedImporter, Listing } from '../listing.ts';
import { rangeBelow } from '../prefix.ts';
import type { Connection } from './connection.ts';
import { idOf, textOf } from './documents.ts';
import { findEntries, toEntry } from './entries.ts';
import { configOf, findImporter, type ImporterFolders, PROJECTION } from './importers.ts';
import { findUnitKey } from './offers.ts';
import { readAll } from './read-all.ts';

interface Options extends ImporterFolders {
  /** Milliseconds that MongoDB may work on one query. */
  readonly maxTime: number;
}

/**
 * Each order is the one of an index of Pulp's, so MongoDB reads along it and sorts nothing: (-path,
 * -importer_id, -revision) backwards, and the one that every collection has.
 */
const ORDERS = { path: { path: 1, importer_id: 1, revision: 1 }, age: { _id: 1 } } as const;

/**
 * Pulp's database as commands show it. Documents that cannot be used are listed with their problem.
 * Closing the listing closes the connection.
 */
export const mongoListing = (database: Connection, options: Options): Listing => {
  const { maxTime } = options;
  const ask = <T>(question: (db: Db) => Promise<T>): Promise<T> => firstValueFrom(database.ask(question));

  const documents = (find: (db: Db) => FindCursor<Document>) => readAll(ask, find);

  const countOf = (importer_id: string): Promise<number> =>
    ask((db) => db.collection('lazy_content_catalog').countDocuments({ importer_id }, { maxTimeMS: maxTime }));

  const toListed = async (document: Document): Promise<Omit<ListedImporter, 'entries'>> => {
    const { repo_id, importer_type_id } = document;
    const id = idOf(document);
    const named = { id, repoId: textOf(repo_id), typeId: textOf(importer_type_id) };
    try {
      return { ...named, config: await configOf(id, document, options) };
    } catch (error) {
      return { ...named, config: {}, problem: messageOf(error) };
    }
  };

  async function* entries(prefix: string, inOrder: keyof typeof ORDERS = 'path'): AsyncGenerator<ListedEntry> {
    const [from, before] = rangeBelow(prefix);
    const below = { path: { $gte: from, $lt: before } };
    const find = (db: Db) => db.collection('lazy_content_catalog').find(below).sort(ORDERS[inOrder]);
    for await (const document of documents(find)) yield toListedEntry(document);
  }

  return {
    entries,
    // Pulp has made the entries, and keeps them up to date.
    repositories: () => [],
    singleEntries: () => entries('/'),
    find: (path) => ask((db) => findEntries(db, path, maxTime)),
    unitKey: (typeId, unitId) => ask((db) => findUnitKey(db, typeId, unitId, maxTime)),
    importers: async function* () {
      const find = (db: Db) => db.collection('repo_importers').find({}, { projection: PROJECTION }).sort({ _id: 1 });
      for await (const document of documents(find))
        yield { ...(await toListed(document)), entries: await countOf(idOf(document)) };
    },
    importer: async (id) => {
      const document = await ask((db) => findImporter(db, id, maxTime));
      return document && { ...(await toListed(document)), entries: await countOf(id) };
    },
    close: database.close,
  };
};

const toListedEntry = (document: Document): ListedEntry => {
  const path = textOf(document.path);
  try {
    return toEntry(path, document);
  } catch (error) {
    return { path, problem: messageOf(error) };
  }
};
