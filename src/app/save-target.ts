import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { EMPTY, filter, firstValueFrom, merge, mergeMap, type Observable, of, ReplaySubject, switchMap } from 'rxjs';
import type { Dispatch } from '../../pipelines/index.ts';
import { backOff } from '../../pipelines/operators/back-off.ts';
import type { Connection } from '../catalog/mongodb/connection.ts';
import { missingUnits } from '../catalog/mongodb/units.ts';
import { SAVE_TASKS } from '../config/groups.ts';
import type { Settings } from '../config/schema.ts';
import { messageOf } from '../lib/thrown.ts';
import type { Conditions } from '../observe/conditions.ts';
import { type Broker, openBroker } from '../saves/celery/amqp/broker.ts';
import { createCeleryDispatch } from '../saves/celery/dispatch.ts';
import { celeryMessage, destinationOf, type Task } from '../saves/celery/message.ts';
import { taskStatusIn } from '../saves/celery/task-status.ts';
import { createDeferredDispatch } from '../saves/deferred/dispatch.ts';
import type { Records } from '../saves/deferred/records.ts';
import { textsOf } from './identity-files.ts';
import { brokerOf, checkSaveTarget, invalid, NO_DATABASE } from './save-settings.ts';
import { succession } from './succession.ts';

/** Saves units, or has them saved. */
export interface SaveTarget {
  readonly dispatch: Dispatch;
  /** Deliveries at a time that are worthwhile. */
  readonly concurrency?: number;
  /** Emits when save requests that were put off should be tried again. */
  readonly revived?: Observable<unknown>;
  /** Emits what keeps the message broker from being reached, `undefined` once it is connected. Absent: there is none. */
  readonly problem?: Observable<string | undefined>;
  close(): Promise<void>;
}

export interface SaveTargetParts {
  readonly logger: Logger;
  /** Told whether the broker is there. */
  readonly conditions: Conditions;
  /** Pulp's database, if it is the catalog. */
  readonly database?: Connection;
}

/** Milliseconds between connections to an unreachable broker. */
const RECONNECT = { wait: 500, waitLimit: 30_000, random: Math.random };

/** Enough for a broker that confirms many messages with one write to its disk. */
const CONCURRENCY = 64;

/** A save target that follows the settings of save tasks: `renew` applies changed ones to deliveries that begin then. */
export interface RenewableTarget extends Omit<SaveTarget, 'problem'> {
  renew(): void;
  /** Whether the message broker is connected; undefined if there is none. */
  isConnected(): boolean | undefined;
}

/** Opens the save target. Throws a ConfigError if the settings cannot be used. */
export const openSaveTarget = (settings: Settings, parts: SaveTargetParts): RenewableTarget => {
  const targets = succession(
    () => ({
      settings: Object.fromEntries(SAVE_TASKS.map((name) => [name, settings[name]])),
      files: textsOf([settings.brokerCacert, settings.brokerKeyfile, settings.brokerCertfile]),
    }),
    // As they are now: a delivery ends as it began.
    () => connectTarget({ ...settings }, parts),
  );
  const { concurrency } = targets.current;
  let isConnected = false;
  targets.each.pipe(switchMap(({ problem = of(undefined) }) => problem)).subscribe((found) => {
    isConnected = found === undefined;
    if (found === undefined) parts.conditions.clear('broker');
    else parts.conditions.set('broker', `not reached: ${found}`);
  });
  return {
    dispatch: (save) => targets.use(({ dispatch }) => dispatch(save)),
    ...(concurrency !== undefined && { concurrency }),
    isConnected: () => targets.current.problem && isConnected,
    // What a target that is gone has put off need not wait for its next try.
    revived: merge(targets.each.pipe(switchMap(({ revived = EMPTY }) => revived)), targets.left),
    renew: targets.renew,
    close: targets.close,
  };
};

/**
 * Connects to the save target in the background. Throws a ConfigError if the settings cannot be
 * used.
 */
const connectTarget = (settings: Settings, parts: SaveTargetParts): SaveTarget => {
  checkSaveTarget(settings);
  return settings.dispatch === 'deferred' ? openDeferred(settings, parts) : openCelery(settings, parts);
};

const origin = `gen${process.pid}@${hostname()}`;
const protocolOf = ({ celeryProtocol }: Settings) => (celeryProtocol === 1 ? 1 : 2);

/**
 * Declines units that Pulp could not save, because its database does not have them: their records
 * would stay for ever.
 */
const ofKnownUnits =
  (dispatch: Dispatch, database: Connection | undefined, { mongodbTimeout }: Settings): Dispatch =>
  (save) =>
    database === undefined
      ? dispatch(save)
      : database
          .ask((db) => missingUnits(db, [save.entry], mongodbTimeout))
          .pipe(
            mergeMap(([missing]) =>
              missing
                ? of(`Pulp’s database has no unit ${missing.unitId} in units_${missing.unitTypeId}`)
                : dispatch(save),
            ),
          );

/** Emits whenever the database is available again, first if it is now. */
const availabilityOf = ({ ready }: Connection): Observable<boolean> => ready.pipe(filter((isReady) => isReady));

const openCelery = (settings: Settings, { logger, database }: SaveTargetParts): SaveTarget => {
  const task = { name: settings.saveTask, args: settings.saveTaskArgs, kwargs: settings.saveTaskKwargs };
  const reservation = settings.taskReservation ? settings.reservationTask : undefined;
  const broker = connectBroker(settings, logger);
  const dispatch = createCeleryDispatch({
    publish: broker.publish,
    protocol: protocolOf(settings),
    queue: settings.taskReservation ? settings.reservationQueue : settings.taskQueue,
    task,
    reservation,
    taskStatus: database && taskStatusIn(recordsIn(database, 'task_status')),
    origin,
  });
  return {
    dispatch: ofKnownUnits(dispatch, database, settings),
    concurrency: CONCURRENCY,
    // A delivery also asks the database, and writes to it.
    revived: merge(broker.connected, database ? availabilityOf(database) : EMPTY),
    problem: broker.problem,
    close: async () => broker.close(),
  };
};

const openDeferred = (settings: Settings, { logger, database }: SaveTargetParts): SaveTarget => {
  if (!database) throw invalid('dispatch', NO_DATABASE);
  const broker = settings.deferredNudge ? connectBroker(settings, logger) : undefined;
  const { dispatch, close } = createDeferredDispatch({
    records: recordsIn(database, 'deferred_download'),
    nudge: broker && {
      send: () => nudge(settings, broker),
      turns: recordsIn(database, 'pulp_streamer_nudges'),
      onError: (error) =>
        logger.warn({ error: messageOf(error) }, 'nudge failed, Pulp reads its records at its next download_interval'),
    },
  });
  return {
    dispatch: ofKnownUnits(dispatch, database, settings),
    revived: availabilityOf(database),
    ...(broker && { problem: broker.problem }),
    close: async () => {
      close();
      broker?.close();
    },
  };
};

const nudge = (settings: Settings, broker: Broker): Observable<never> => {
  const task: Task = { id: crypto.randomUUID(), name: settings.nudgeTask, args: [], kwargs: {} };
  const protocol = protocolOf(settings);
  return broker.publish(destinationOf(protocol, settings.taskQueue), celeryMessage(task, { protocol, origin }));
};

interface WatchedBroker extends Broker {
  /** See `SaveTarget`. */
  readonly problem: Observable<string | undefined>;
}

const connectBroker = (settings: Settings, logger: Logger): WatchedBroker => {
  const problem = new ReplaySubject<string | undefined>(1);
  const broker = openBroker({
    ...brokerOf(settings),
    waitAfter: (failures) => backOff(failures, RECONNECT),
    onError: (thrown, delay) => {
      const error = messageOf(thrown);
      logger.warn({ error, retryInMs: Math.round(delay) }, 'broker unreachable, retrying');
      problem.next(error);
    },
    onNotice: (notice) => logger.warn(notice),
  });
  broker.connected.subscribe(() => {
    logger.info('broker connected');
    problem.next(undefined);
  });
  return { ...broker, problem };
};

const recordsIn = (database: Connection, collection: string): Records => ({
  updateOne: (filter, update, options) =>
    firstValueFrom(database.ask((db) => db.collection(collection).updateOne(filter, update, options))),
});
