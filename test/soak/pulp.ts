import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Db, MongoClient, MongoServerError, ObjectId } from 'mongodb';
import { filter } from 'rxjs';
import { QUICK } from '../faults/scene.ts';
import { startOwnMongoServer } from '../support/mongodb-server.ts';
import type { Start } from '../support/run-process.ts';
import { type LogLine, makeSite } from '../support/site.ts';
import { isInstalled, startRabbitMq } from '../support/start-rabbitmq.ts';
import { startTaskTaker } from '../support/start-task-taker.ts';
import { until } from '../support/until.ts';
import { PULP } from './ends.ts';
import { isProven } from './kinds.ts';
import type { Outages } from './outages.ts';
import type { SoakFile } from './plan.ts';
import { answered, checkOf, type Listed, PATIENT, rowsOf, unitOf } from './stage.ts';
import { watchDatabase } from './watch.ts';

/**
 * A daemon whose catalog is a MongoDB server, and that queues a task at RabbitMQ for each complete
 * transfer. Both are real servers, and both fail again and again.
 */
export interface PulpSite {
  readonly url: string;
  /**
   * Adds files, and removes those that nobody asks for any more, and what is known of tasks: the stand-in reads all
   * to find one.
   */
  list(files: readonly Listed[], gone?: readonly string[]): Promise<void>;
  /**
   * Freezes the database or ends it, in turn, and brings it back after some requests. Resolves once the
   * daemon answers again.
   */
  flapDatabase(further: (requests: number) => Promise<void>): Promise<void>;
  /** Stops, freezes or ends the broker, or brings it back. Returns false while it is still changing. */
  flapBroker(): boolean;
  /** A client received the whole content of a file. */
  completed(file: SoakFile): void;
  /** Resolves to the broken promises, once the broker is back and has got all tasks. */
  settle(): Promise<readonly string[]>;
  /** Ends all servers. */
  close(): Promise<void>;
}

interface Options {
  readonly ca: string;
  readonly importers: number;
  readonly checkUrl: string;
  readonly logged: (line: LogLine) => void;
  readonly outages: Outages;
}

const DATABASE = 'pulp_database';
const QUEUE = 'resource_manager';
/** Requests without a database: briefly, so that they wait, or until those that wait are refused. */
const DOWN = [10, Number.POSITIVE_INFINITY] as const;
/** Milliseconds in which all tasks are at the broker that is back: the daemon tries each again within five minutes. */
const DELIVERED = 330_000;

export const openPulpSite = async (start: Start, newFolder: () => string, options: Options): Promise<PulpSite> => {
  const { ca, importers: count, checkUrl, logged, outages } = options;
  if (!isInstalled) throw new Error('the soak needs rabbitmq-server');
  await using opening = new AsyncDisposableStack();
  const server = opening.adopt(await startOwnMongoServer(newFolder()), ({ stop }) => stop());
  const rabbit = opening.adopt(await startRabbitMq(), ({ close }) => close());
  const taker = opening.adopt(await startTaskTaker(rabbit.url, QUEUE), ({ close }) => close());

  const withDatabase = async (work: (database: Db) => Promise<unknown>): Promise<void> => {
    const client = new MongoClient(server.url);
    try {
      await work(client.db(DATABASE));
    } finally {
      await client.close();
    }
  };
  opening.adopt(watchDatabase(server.url, DATABASE, PULP, outages), ({ end }) => end());
  const importers = Array.from({ length: count }, () => new ObjectId());
  await withDatabase((database) =>
    database.collection('repo_importers').insertMany(
      importers.map((_id) => ({
        ...{ _id, repo_id: `repo-${_id}`, importer_type_id: 'yum_importer', config: { ssl_ca_cert: ca } },
      })),
    ),
  );
  /** Files of which a whole transfer was right. */
  const whole = new Set<string>();
  const hasTask = (path: string) => taker.resources.has(`content_unit:${unitOf(path)}:${path}`);
  /** Removed files that still have a unit: a task for one without would be declined. */
  let left: string[] = [];
  const list: PulpSite['list'] = (files, gone = []) =>
    withDatabase(async (database) => {
      const [entries, units] = [database.collection('lazy_content_catalog'), database.collection<Unit>('units_rpm')];
      // Pulp removes those of finished tasks itself.
      await uninterrupted(() => database.collection('task_status').deleteMany({}));
      if (gone.length > 0) await uninterrupted(() => entries.deleteMany({ path: { $in: [...gone] } }));
      left.push(...gone);
      const saved = left.filter((path) => !whole.has(path) || hasTask(path));
      left = left.filter((path) => !saved.includes(path));
      for (const path of saved) told.delete(path);
      if (saved.length > 0) await uninterrupted(() => units.deleteMany({ _id: { $in: saved.map(unitOf) } }));
      if (files.length === 0) return;
      await uninterrupted(() => entries.insertMany(entriesOf(files, importers)));
      await uninterrupted(() => units.insertMany(files.map(({ path }) => ({ _id: unitOf(path) }))));
    });

  const site = makeSite(start, newFolder(), {
    ...{ ...QUICK, ...PATIENT, catalog_type: 'mongodb', mongodb_url: server.url, database_name: DATABASE },
    ...{ mongodb_timeout: 8, dispatch: 'celery', broker_url: rabbit.url, reservation_queue: QUEUE },
  });
  const daemon = await site.serve();
  daemon.log.subscribe(logged);
  /** What the daemon last said of the save of a file whose task has not come. */
  const told = new Map<string, string>();
  daemon.log.pipe(filter(({ unit }) => unit !== undefined)).subscribe(({ path, msg, reason, error }) => {
    told.set(String(path), [msg, reason ?? error].filter((one) => one !== undefined).join(': '));
  });

  let checks = 0;
  let outage = 0;
  let isChanging = false;
  let lastChange = Promise.resolve();
  const changes = [rabbit.stop, rabbit.start, rabbit.freeze, rabbit.thaw, rabbit.crash, rabbit.recover];
  let next = 0;
  const change = () => {
    isChanging = true;
    lastChange = lastChange.then(changes[next % changes.length]).finally(() => {
      isChanging = false;
    });
    // `settle` awaits it.
    lastChange.catch(() => {});
    next += 1;
  };
  const opened = opening.move();
  return {
    url: daemon.url,
    list,
    flapDatabase: async (further) => {
      const back = outages.begin(PULP);
      const [crash, down] = [outage % 2 === 0, DOWN[(outage >> 1) % 2]!];
      outage += 1;
      if (crash) await server.stop();
      else server.freeze();
      await further(down);
      if (crash) await server.start();
      else server.thaw();
      checks += 1;
      const check = checkOf(checkUrl, checks);
      await list([check]);
      await answered(daemon.url + check.path);
      back();
    },
    flapBroker: () => {
      if (isChanging) return false;
      change();
      return true;
    },
    completed: ({ path, kind, urls }) => {
      // Without a checksum, only the first source has the newest content for certain, and other content is not saved.
      if (isProven(kind) || urls.length === 1) whole.add(path);
    },
    settle: async () => {
      await lastChange;
      if (next % 2 === 1) change();
      await lastChange;
      const late = performance.now() + DELIVERED;
      await until(() => waiting(site.stateDir) === 0 || performance.now() > late);
      await taker.all();
      const missing = [...whole].filter((path) => !hasTask(path));
      const { status, stderr } = await daemon.stop();
      return [
        ...missing.map((path) => `no task for ${path} came to the broker: ${told.get(path) ?? 'nothing said of it'}`),
        ...(status === 0 && stderr === '' ? [] : [`the daemon of ${PULP} ended with ${status}: ${stderr}`]),
      ];
    },
    close: async () => {
      // A broker that is being started has no process yet to be ended.
      await lastChange.catch(() => {});
      await opened.disposeAsync();
    },
  };
};

/** Milliseconds for which a write is repeated that the stand-in interrupts. */
const INTERRUPTED = 60_000;

/**
 * The stand-in interrupts the query of a client that went away, which can hit the write of another one
 * that has taken its connection to SQLite. Nothing of that write is kept.
 */
const uninterrupted = async (write: () => Promise<unknown>): Promise<void> => {
  const late = performance.now() + INTERRUPTED;
  let done = false;
  let last: unknown;
  await until(async () => {
    try {
      await write();
      done = true;
    } catch (error) {
      last = error;
      if (!(error instanceof MongoServerError && error.message.includes('interrupted (9)'))) throw error;
    }
    return done || performance.now() > late;
  });
  if (!done) throw last;
};

/** Save requests that the broker has not confirmed. */
const waiting = (stateDir: string): number => {
  using outbox = new DatabaseSync(join(stateDir, 'outbox.db'), { readOnly: true, timeout: 5_000 });
  return Number(outbox.prepare('SELECT count(*) AS count FROM saves').get()?.count);
};

interface Unit {
  readonly _id: string;
}

/** What Pulp 2 has of files. Of the entries of a path, the one with the greatest `_id` is the newest. */
const entriesOf = (files: readonly Listed[], importers: readonly ObjectId[]) =>
  rowsOf(files, importers.map(String)).map(
    ({ path, importerId, unitId, unitTypeId, url, checksum, size, revision }) => ({
      ...{
        _id: new ObjectId(),
        path,
        importer_id: importerId,
        unit_id: unitId,
        unit_type_id: unitTypeId,
        url,
        revision,
      },
      ...(checksum && { checksum: checksum.value, checksum_algorithm: checksum.algorithm }),
      data: size === undefined ? {} : { size },
    }),
  );
