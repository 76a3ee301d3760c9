import { setTimeout } from 'node:timers/promises';
import {
  type Db,
  type MongoClient,
  type MongoClientEvents,
  MongoError,
  MongoServerSelectionError,
  type TopologyDescriptionChangedEvent,
} from 'mongodb';
import {
  catchError,
  defer,
  distinctUntilChanged,
  EMPTY,
  fromEvent,
  groupBy,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  ReplaySubject,
  repeat,
  retry,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { StreamError } from '../../../pipelines/model/index.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { type DatabaseSettings, HEARTBEAT, makeClient } from './client.ts';

/** Pulp's database, whether it is up or down. */
export interface Connection {
  /**
   * Runs the query on subscription and connects first if necessary. Emits the answer and completes.
   * Errors with CATALOG_UNAVAILABLE if no answer comes in time, and with any error of the query
   * itself. Unsubscribing drops the answer.
   */
  ask<T>(question: (database: Db) => Promise<T>): Observable<T>;
  /** Emits whether the database is available, and each change. Completes at `close`. */
  readonly ready: Observable<boolean>;
  /** Whether secrets may be sent to it. */
  readonly isPrivate: boolean;
  close(): Promise<void>;
}

/** Milliseconds between attempts to connect to a database that was never reached. */
const RETRY = 2_000;

/**
 * Milliseconds for which queries fail at once after one has timed out. A request sends several
 * queries and must wait only once. Does not apply if others were answered in the same time: a write
 * may wait for a primary while secondaries can be read.
 */
const REST = 1_000;

/** Errors of the driver, and of sockets, which the driver passes on if a server stops. */
const isOfConnection = (error: unknown): boolean => error instanceof MongoError || /^E[A-Z]+$/.test(codeOf(error));

/**
 * The server had already closed the connection, so nothing was sent. The driver would try another
 * connection or server, but does not see this error.
 */
const wasNotSent = (error: unknown): boolean => codeOf(error) === 'EPIPE' && !(error instanceof MongoError);

/**
 * Connects in the background, at once and until it succeeds. After that the driver monitors the
 * server. Throws if the settings are invalid, but not if the database is down.
 *
 * @param timeoutMs milliseconds that an answer may take
 */
export const connectMongo = (settings: DatabaseSettings, timeoutMs: number): Connection => {
  const made = makeClient(settings, timeoutMs);
  const { database, hosts, isPrivate } = made;
  const ready = new ReplaySubject<boolean>(1);
  let client = made.client;
  let connecting: Promise<unknown> | undefined;
  let failure: { readonly error: StreamError; readonly at: number } | undefined;
  let answered = Number.NEGATIVE_INFINITY;

  const connect = (): Promise<unknown> => {
    connecting ??= client.connect().catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  };

  const unavailable = (asked: number, reason: string, cause?: unknown): StreamError => {
    const error = new StreamError('CATALOG_UNAVAILABLE', 'catalog', `MongoDB at ${hosts}: ${reason}`, { cause });
    // Any other error is reported at once, and the next query is tried.
    const inVain = cause === undefined || cause instanceof MongoServerSelectionError;
    if (inVain && answered < asked) failure = { error, at: performance.now() };
    return error;
  };

  const asking = <T>(question: (database: Db) => Promise<T>): Observable<T> =>
    defer(() => {
      const asked = performance.now();
      const late = () => throwError(() => unavailable(asked, `no answer within ${timeoutMs} ms`));
      return defer(connect).pipe(
        catchError((error: unknown) => throwError(() => unavailable(asked, messageOf(error), error))),
        mergeMap(() => question(client.db(database))),
        retry({ delay: (error: unknown) => (wasNotSent(error) ? timer(0) : throwError(() => error)) }),
        timeout({ first: timeoutMs, with: late }),
        catchError((error: unknown) =>
          throwError(() => (isOfConnection(error) ? unavailable(asked, messageOf(error), error) : error)),
        ),
        tap(() => {
          answered = performance.now();
        }),
      );
    });

  const described = ({ newDescription: { servers, compatible } }: TopologyDescriptionChangedEvent) => {
    const known = [...servers.values()];
    if (known.some(({ isReadable }) => isReadable)) {
      failure = undefined;
      ready.next(compatible);
    } else if (known.some(({ error }) => error)) {
      ready.next(false);
    }
  };
  const replace = () => {
    const lostOne = client;
    client = makeClient(settings, timeoutMs).client;
    connecting = undefined;
    // Its connections are gone, however it ends.
    endClient(lostOne, timeoutMs).catch(() => {});
  };
  /** Connects with a client, and watches it, until it is lost. Then it begins again with another one. */
  const background = defer(() =>
    merge(
      eventsOf(client, 'topologyDescriptionChanged').pipe(tap(described)),
      defer(connect).pipe(retry({ delay: RETRY })),
    ).pipe(takeUntil(lost(client, 2 * (timeoutMs + HEARTBEAT)))),
  )
    .pipe(repeat({ delay: () => of(replace()) }))
    .subscribe();

  return {
    ask: (question) =>
      defer(() => {
        if (failure && performance.now() - failure.at < REST) {
          const { error } = failure;
          return throwError(() => error);
        }
        return asking(question);
      }),
    ready: ready.pipe(distinctUntilChanged()),
    isPrivate,
    close: async () => {
      background.unsubscribe();
      ready.complete();
      await endClient(client, timeoutMs);
    },
  };
};

/** Emits each event of a name. Never completes. */
const eventsOf = <E extends keyof MongoClientEvents>(
  client: MongoClient,
  name: E,
): Observable<Parameters<MongoClientEvents[E]>[0]> =>
  fromEvent(client, name) as Observable<Parameters<MongoClientEvents[E]>[0]>;

/**
 * Emits once, and completes, if the driver asks a server how it is, and for `within` milliseconds
 * neither gets an answer nor gives up. It never asks that server again then: if a connection ends at
 * the moment of writing, it waits for ever for the connection to take more.
 */
const lost = (client: MongoClient, within: number): Observable<unknown> =>
  merge(
    eventsOf(client, 'serverHeartbeatStarted').pipe(map(({ connectionId }) => ({ server: connectionId, waits: true }))),
    eventsOf(client, 'serverHeartbeatSucceeded').pipe(
      map(({ connectionId }) => ({ server: connectionId, waits: false })),
    ),
    eventsOf(client, 'serverHeartbeatFailed').pipe(map(({ connectionId }) => ({ server: connectionId, waits: false }))),
    // It left its replica set.
    eventsOf(client, 'serverClosed').pipe(map(({ address }) => ({ server: address, waits: false }))),
  ).pipe(
    groupBy(({ server }) => server),
    mergeMap((heartbeats) => heartbeats.pipe(switchMap(({ waits }) => (waits ? timer(within) : EMPTY)))),
    take(1),
  );

const endClient = async (client: MongoClient, timeoutMs: number): Promise<void> => {
  // If the server closes the connection at this moment, the driver waits forever for the goodbye. Its
  // monitor would keep the process alive.
  const { topology } = client as unknown as { readonly topology?: { close(): void } };
  await Promise.race([client.close(), setTimeout(timeoutMs, undefined, { ref: false })]);
  topology?.close();
};
