import { type Binary, type Collection, type Db, type IndexDescription, MongoServerError } from 'mongodb';
import type { Observable } from 'rxjs';
import { StreamError } from '../../../pipelines/model/index.ts';
import type { Connection } from '../mongodb/connection.ts';
import type { EntryDocument, Head, ImporterDocument, RepositoryDocument } from './documents.ts';
import type { BeforeDocument, LabelDocument, RevisionDocument } from './history-documents.ts';

/** The collections of the shared catalog. */
export interface Collections {
  readonly db: Db;
  readonly head: Collection<Head>;
  readonly entries: Collection<EntryDocument>;
  readonly importers: Collection<ImporterDocument>;
  readonly repositories: Collection<RepositoryDocument>;
  readonly metadata: Collection<FileDocument>;
  readonly chunks: Collection<ChunkDocument>;
  readonly revisions: Collection<RevisionDocument>;
  readonly labels: Collection<LabelDocument>;
  /** What was before each change of a kept revision. */
  readonly before: Collection<BeforeDocument>;
}

/** A whole file of metadata. `at`: milliseconds of the server's clock when it was last needed. */
export interface FileDocument {
  readonly _id: string;
  readonly chunks: number;
  readonly modified: number;
  readonly at: number;
}

export interface ChunkDocument {
  readonly _id: string;
  readonly file: string;
  readonly number: number;
  readonly at: number;
  readonly data: Binary;
}

/** The database of the shared catalog, which may be down. */
export interface SharedDatabase {
  /** Runs the question on subscription: see `Connection`. The first one makes sure that the database is ours. */
  ask<T>(question: (collections: Collections) => Promise<T>): Observable<T>;
}

export const PROGRAM = 'pulp-streamer';
const LAYOUT = 1;

/** The collections of offers and of their refreshes. */
export const PLACES = { content: 'offers', sources: 'refreshes' } as const;

/** Catalogs of earlier versions do not have these. */
const HISTORY: Readonly<Record<string, readonly IndexDescription[]>> = {
  revisions: [{ key: { importer_id: 1, prefix: 1, revision: 1 } }],
  labels: [{ key: { prefix: 1, name: 1 } }],
  entries_before: [
    { key: { path: 1, until: 1 } },
    { key: { importer_id: 1, prefix: 1, until: 1 } },
    { key: { unit_id: 1 } },
    { key: { unit_type_id: 1 } },
  ],
};

const INDEXES: Readonly<Record<string, readonly IndexDescription[]>> = {
  entries: [
    { key: { path: 1, _id: -1 } },
    { key: { importer_id: 1, prefix: 1 } },
    { key: { gen: 1 } },
    { key: { unit_id: 1 } },
    { key: { unit_type_id: 1 } },
  ],
  repositories: [{ key: { importer_id: 1, prefix: 1 } }, { key: { follows: 1 } }],
  [PLACES.content]: [{ key: { locator: 1 } }, { key: { source_id: 1, expiration: 1 } }, { key: { expiration: 1 } }],
  metadata_chunks: [{ key: { file: 1 } }, { key: { number: 1, at: 1 } }],
};

/** Another process may be making them at this moment. */
const OURS = new Set([
  ...Object.keys(INDEXES),
  ...Object.keys(HISTORY),
  PLACES.sources,
  'catalog',
  'importers',
  'metadata',
]);

/** Collections that only the database of Pulp 2 has. */
const isOfPulp = (name: string): boolean =>
  /^(lazy_content_catalog|content_catalog|repo_(importers|distributors|content_units)|repos|units_.+)$/.test(name);

/** An acknowledged change outlives any one member of a replica set. */
const DURABLE = { writeConcern: { w: 'majority' } } as const;

const refuse = (db: Db, why: string): never => {
  throw new StreamError('CATALOG_UNAVAILABLE', 'catalog', `database ${db.databaseName}: ${why}`);
};

const collectionsOf = (db: Db): Collections => ({
  db,
  head: db.collection<Head>('catalog', DURABLE),
  entries: db.collection<EntryDocument>('entries', DURABLE),
  importers: db.collection<ImporterDocument>('importers', DURABLE),
  repositories: db.collection<RepositoryDocument>('repositories', DURABLE),
  metadata: db.collection<FileDocument>('metadata', DURABLE),
  chunks: db.collection<ChunkDocument>('metadata_chunks', DURABLE),
  revisions: db.collection<RevisionDocument>('revisions', DURABLE),
  labels: db.collection<LabelDocument>('labels', DURABLE),
  before: db.collection<BeforeDocument>('entries_before', DURABLE),
});

/**
 * Makes an empty database a catalog. Rejects with CATALOG_UNAVAILABLE if it is Pulp's or another
 * program's, or has another layout.
 */
const prepare = async (collections: Collections): Promise<void> => {
  const { db, head } = collections;
  const found = await head.findOne({ _id: PROGRAM });
  if (!found) {
    const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name);
    const pulps = names.find(isOfPulp);
    if (pulps !== undefined)
      refuse(db, `it is Pulp's (it has ${pulps}); shared_catalog_url must name a database of its own`);
    const [strange] = names.filter((name) => !OURS.has(name) && !name.startsWith('system.'));
    if (strange !== undefined)
      refuse(
        db,
        `it belongs to another program (it has ${strange}); shared_catalog_url must name a database of its own`,
      );
    for (const [name, indexes] of Object.entries(INDEXES)) await db.collection(name).createIndexes([...indexes]);
    // Last: the marker says that the rest is there. Several processes may get here at once.
    await head.insertOne({ _id: PROGRAM, ...emptyHead() }).catch(unlessThere);
  } else if (found.layout !== LAYOUT)
    refuse(db, `it has layout ${found.layout}, this pulp-streamer supports layout ${LAYOUT}`);
};

/** Makes the collections of earlier revisions, unless they are there. One process does it at a time. */
export const makeHistory = async ({ db }: Pick<Collections, 'db'>): Promise<void> => {
  const names = await db.listCollections({}, { nameOnly: true }).toArray();
  for (const [name, indexes] of Object.entries(HISTORY))
    if (!names.some((one) => one.name === name)) await db.collection(name).createIndexes([...indexes]);
};

/** MongoDB's code for a duplicate key in a unique index. */
const DUPLICATE = 11_000;

const unlessThere = (error: unknown): void => {
  if (!(error instanceof MongoServerError && error.code === DUPLICATE)) throw error;
};

const emptyHead = (): Omit<Head, '_id'> => ({
  layout: LAYOUT,
  version: 0,
  noted: 0,
  reserved: 0,
  closed: 0,
  published: [],
  loads: [],
  retired: [],
  writer: { token: '', until: 0 },
  last: '',
});

/** The shared catalog's database behind a connection. */
export const sharedDatabase = ({ ask }: Pick<Connection, 'ask'>): SharedDatabase => {
  let prepared: Promise<void> | undefined;
  return {
    ask: (question) =>
      ask(async (db) => {
        const collections = collectionsOf(db);
        prepared ??= prepare(collections).catch((error: unknown) => {
          prepared = undefined;
          throw error;
        });
        await prepared;
        return question(collections);
      }),
  };
};
