import type { Connection } from '../mongodb/connection.ts';
import { mongoOfferSearch } from '../mongodb/offer-search.ts';
import { type MongoRefreshStore, mongoRefreshStore } from '../mongodb/refreshes.ts';
import type { OfferSearch } from '../offer-search.ts';
import type { CatalogStore } from '../store.ts';
import { keptOffset } from './clock.ts';
import { PLACES, type SharedDatabase, sharedDatabase } from './database.ts';
import { sharedEntries } from './entries.ts';
import { sharedHistory } from './history.ts';
import { sharedImporters } from './importers.ts';
import { sharedMetadata } from './metadata.ts';
import { sharedRepositories } from './repositories.ts';
import { openSession, type Session } from './session.ts';
import { tidying } from './tidy.ts';
import { findUnitKey } from './units.ts';
import { type Watch, watchHead } from './watch.ts';

/** The shared catalog, as commands and the daemon use it. */
export interface SharedStore extends CatalogStore {
  readonly database: SharedDatabase;
  readonly session: Session;
  readonly watch: Watch;
  /** The results of refreshes of alternate sources. */
  readonly refreshes: MongoRefreshStore;
  close(): Promise<void>;
}

interface Options {
  /** Milliseconds that the database may work on one step. */
  readonly maxTime: number;
  /** Milliseconds that a change waits for those of other processes. */
  readonly patience: number;
  /** Whether to watch for changes of others, as a daemon does. */
  readonly watching?: boolean;
  /** Milliseconds between looks for what can be removed, if it watches. Default: a minute. */
  readonly tidyEvery?: number;
}

/** Opens the shared catalog. `close` closes the connection. */
export const openSharedStore = (connection: Connection, options: Options): SharedStore => {
  const { maxTime, patience, watching = false, tidyEvery = 60_000 } = options;
  const database = sharedDatabase(connection);
  const watch = watchHead(database, { background: watching });
  const session = openSession(database, { patience, changed: watch.changed });
  const endTidying = watching ? tidying(session, watch, tidyEvery) : () => {};
  const refreshes = byServerTime(database, session, maxTime);
  return {
    ...{ database, session, watch, refreshes },
    entries: sharedEntries(session),
    importers: sharedImporters(session, connection.isPrivate),
    repositories: sharedRepositories(session, watch.followed),
    units: {
      find: (typeId, unitId) => session.asking((collections, view) => findUnitKey(collections, view, typeId, unitId)),
    },
    leases: refreshes,
    history: sharedHistory(session, watch.isPrefix),
    metadata: sharedMetadata(session),
    catchUp: async () => {
      await watch.fresh();
    },
    close: async () => {
      endTidying();
      watch.close();
      await refreshes.settled();
      await connection.close();
    },
  };
};

/**
 * Leases end by the server's clock, whatever the clocks of the machines say. Times of offers are
 * those of the caller.
 */
const byServerTime = (database: SharedDatabase, { ask }: Session, maxTime: number): MongoRefreshStore => {
  const store = mongoRefreshStore({ ask: (question) => database.ask(({ db }) => question(db)) }, maxTime, PLACES);
  const offset = keptOffset();
  const ahead = async () => (await ask(({ db }) => offset(db))) / 1000;
  return {
    ...store,
    state: async (sourceId, now) => store.state(sourceId, now + (await ahead())),
    acquire: async (sourceId, holder, now, until) => {
      const seconds = await ahead();
      return store.acquire(sourceId, holder, now + seconds, until + seconds);
    },
  };
};

/** The search for operators. */
export const sharedOfferSearch = ({ database, entries, units }: SharedStore, maxTime: number): OfferSearch =>
  mongoOfferSearch({ ask: (question) => database.ask(({ db }) => question(db)) }, maxTime, {
    content: PLACES.content,
    unitsAt: async (_, path) => {
      const found = await entries.find(path);
      if (found.length === 0) return undefined;
      const types = new Map(found.map(({ unitTypeId, unitId }) => [unitId, unitTypeId]));
      return Promise.all([...types].map(async ([id, typeId]) => ({ typeId, key: await units.find(typeId, id) })));
    },
  });
