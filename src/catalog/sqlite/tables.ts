import { StreamError } from '../../../pipelines/model/errors.ts';
import { messageOf } from '../../lib/thrown.ts';
import type { CatalogStore } from '../store.ts';
import { type Content, makeContent } from './content.ts';
import { type Entries, makeEntries } from './entries.ts';
import { type History, makeHistory } from './history.ts';
import { type Importers, makeImporters } from './importers.ts';
import { sqliteRefreshStore } from './refresh-store.ts';
import { makeRefreshes, type Refreshes } from './refreshes.ts';
import { makeRepositories, type Repositories } from './repositories.ts';
import { openDatabase, openImmutable } from './schema.ts';
import { makeUnits, type Units } from './units.ts';

/** Pulp's collections as tables of one SQLite file: a catalog that answers at once. */
export interface Tables extends CatalogStore {
  readonly entries: Entries;
  readonly importers: Importers;
  readonly units: Units;
  readonly content: Content;
  readonly refreshes: Refreshes;
  readonly repositories: Repositories;
  readonly history: History;
  /** Closes the file. The catalog errors from then on. */
  close(): void;
}

export interface TableOptions {
  /**
   * Milliseconds that a write waits for one of another process, and a read for one that locks
   * readers out, which none of this program does. This thread waits, too.
   */
  readonly busyTimeout?: number;
  /** Pages of the log from which a write moves them into the database. This thread waits for it. */
  readonly checkpointPages?: number;
  /** Whether to read the file as it is, without a lock or a log: nothing may write to it. */
  readonly immutable?: boolean;
}

export const unavailable = (file: string, error: unknown): StreamError =>
  new StreamError('CATALOG_UNAVAILABLE', 'catalog', `catalog ${file}: ${reasonOf(error)}`, { cause: error });

/** SQLite's own words, with what was expected. */
const reasonOf = (error: unknown): string => {
  const message = messageOf(error);
  return message === 'file is not a database' ? `${message}; expected one of SQLite, or no file` : message;
};

/**
 * Opens the tables in a file, which is created on first use. `:memory:` creates them until `close`.
 * Throws CATALOG_UNAVAILABLE if the file cannot be opened or is not a catalog.
 */
export const openTables = (file: string, options: TableOptions = {}): Tables => {
  const { busyTimeout = 5000, checkpointPages = 1000, immutable = false } = options;
  try {
    const database = immutable ? openImmutable(file) : openDatabase(file, busyTimeout, checkpointPages);
    const content = makeContent(database);
    const repositories = makeRepositories(database, immutable);
    const history = makeHistory(database, immutable);
    const refreshes = makeRefreshes(database, content, immutable);
    return {
      entries: makeEntries(database, repositories, history),
      importers: makeImporters(database),
      units: makeUnits(database),
      content,
      refreshes,
      repositories,
      history,
      leases: sqliteRefreshStore({ content, refreshes }),
      // Each query sees the last commit.
      catchUp: () => {},
      close: () => database.close(),
    };
  } catch (error) {
    throw unavailable(file, error);
  }
};
