import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { BSON, type Document } from 'mongodb';

/** Debian's own, which python3-pymongo is for. */
export const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('write.py', import.meta.url));

export type UnitKey = Readonly<Record<string, string | number>>;

/** All that a database has. Numbers are the driver's own types, so that a long is not an int. */
export type Dump = Readonly<
  Record<string, { readonly documents: readonly Document[]; readonly indexes: Readonly<Record<string, Document>> }>
>;

/** A record that Pulp's own task has read and removed, and what it knows of its unit. */
export interface TakenRecord {
  readonly unit_id: string;
  readonly unit_type_id: string;
  /** Whether the unit is in its collection. */
  readonly found: boolean;
  /** Where its files belong. */
  readonly paths: readonly string[];
}

const { EJSON } = BSON;
const exactly = (value: unknown): string => EJSON.stringify(value, { relaxed: false });

/** Pulp 2's part of the database: an independent client that writes as Pulp does. */
export interface Pulp2 {
  /** Resolves to the importer's id. */
  importer(config: object, repo?: string, type?: string): Promise<string>;
  changeImporter(id: string, set: object): Promise<void>;
  /** Resolves to the unit's id. */
  unit(type: string, key: UnitKey): Promise<string>;
  /** Makes sure that there is a unit of that id. */
  unitOf(type: string, id: string): Promise<void>;
  /** A document in MongoDB's extended JSON. */
  shaped(collection: string, document: object): Promise<void>;
  storagePath(type: string, key: UnitKey, file: string): Promise<string>;
  entry(fields: {
    readonly path: string;
    readonly importer_id: string;
    readonly unit_id: string;
    readonly unit_type_id: string;
    readonly url: string;
    readonly revision?: number;
    readonly checksum?: string;
    readonly algorithm?: string;
    readonly data?: object;
  }): Promise<string>;
  /** Many at once: `%d` in path and URL is their number. */
  entries(count: number, path: string, url: string, first?: number): Promise<void>;
  removeEntries(path: string): Promise<number>;
  broken(collection: string, document: object): Promise<void>;
  /** Documents whose values keep the driver's types: `Long`, `Double`, `ObjectId`. */
  insert(collection: string, documents: readonly Document[]): Promise<void>;
  /** Changes one document by MongoDB's update operators. */
  update(collection: string, id: unknown, change: Document): Promise<void>;
  /** By which offers of a unit are found. */
  locator(type: string, key: Document): Promise<string>;
  offer(source: string, type: string, key: UnitKey, url: string, expiration: number): Promise<void>;
  /** Drops the whole database. */
  drop(): Promise<void>;
  /** Documents and indexes of each collection. */
  state(): Promise<object>;
  dump(): Promise<Dump>;
  /** Reads the records as Pulp's ODM does, which refuses one that it does not know every field of. */
  takeRecords(): Promise<readonly TakenRecord[]>;
  close(): Promise<void>;
}

/** Starts the client. Resolves once Pulp's indexes exist. */
export const startPulp2 = async (url: string, database: string): Promise<Pulp2> => {
  const child = spawn(PYTHON, [SCRIPT, url, database], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();

  const ask = async (request: object): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error('the client of MongoDB ended');
    const answer: { ok?: unknown; error?: string } = JSON.parse(value);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.ok;
  };
  /** Sends requests one after the other, even if the caller does not wait. */
  const say = <T>(request: object): Promise<T> => {
    const answer = last.then(() => ask(request)) as Promise<T>;
    last = answer.catch(() => {});
    return answer;
  };

  await say({ do: 'setup' });
  return {
    importer: (config, repo = 'zoo', type = 'yum_importer') => say({ do: 'importer', repo, config, type }),
    changeImporter: (id, set) => say({ do: 'change_importer', id, set }),
    unit: (type, key) => say({ do: 'unit', type, key }),
    unitOf: (type, id) => say({ do: 'unit_of', type, id }),
    shaped: (collection, document) => say({ do: 'shaped', collection, document }),
    storagePath: (type, key, file) => say({ do: 'storage_path', type, key, file }),
    entry: (fields) => say({ do: 'entry', ...fields }),
    entries: (count, path, to, first) => say({ do: 'entries', count, path, url: to, first }),
    removeEntries: (path) => say({ do: 'remove_entries', path }),
    broken: (collection, document) => say({ do: 'broken', collection, document }),
    insert: (collection, documents) => say({ do: 'insert', collection, documents: exactly(documents) }),
    update: (collection, id, change) => say({ do: 'update', collection, id: exactly(id), change: exactly(change) }),
    locator: (type, key) => say({ do: 'locator', type, key: EJSON.serialize(key, { relaxed: true }) }),
    offer: (source, type, key, at, expiration) => say({ do: 'offer', source, type, key, url: at, expiration }),
    drop: () => say({ do: 'drop' }),
    state: () => say({ do: 'state' }),
    dump: async () => EJSON.parse(await say<string>({ do: 'dump' }), { relaxed: false }),
    takeRecords: () => say({ do: 'take_records' }),
    close: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'close');
    },
  };
};
