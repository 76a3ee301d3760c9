import { setTimeout } from 'node:timers/promises';
import { type Db, MongoError, MongoServerSelectionError } from 'mongodb';
import {
  catchError,
  defer,
  distinctUntilChanged,
  mergeMap,
  type Observable,
  ReplaySubject,
  retry,
  tap,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { StreamError } from '../../../pipelines/model/index.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { type DatabaseSettings, makeClient } from './client.ts';

/** Pulp's database, whether it is up or not. */
export interface Connection {
  /**
   * Asks on subscription, connecting first where need be; emits the answer and completes. Errors with CATALOG_UNAVAILABLE where there is none
   * within the time, and as the question does for reasons of its own. Unsubscribing drops the answer.
   */
  ask<T>(question: (database: Db) => Promise<T>): Observable<T>;
  /** Emits whether the database can be asked: as soon as that is known, and whenever it changes. Completes when closed. */
  readonly ready: Observable<boolean>;
  close(): Promise<void>;
}

/** Milliseconds until a database that was never reached is tried again while nobody asks. */
const RETRY = 2_000;

/**
 * Milliseconds after a question that waited in vain in which further ones are not even tried: a request asks several, and is to wait only
 * once. Not where others were answered meanwhile: a write may wait for a primary while secondaries can be read.
 */
const REST = 1_000;

/** The driver's own errors, and those of sockets, which it lets through in the moment that a server goes. */
const isOfConnection = (error: unknown): boolean => error instanceof MongoError || /^E[A-Z]+$/.test(codeOf(error));

/** The server had hung up already: nothing was sent, and the driver, which would try another connection or server, is not told. */
const wasNotSent = (error: unknown): boolean => codeOf(error) === 'EPIPE' && !(error instanceof MongoError);

/**
 * Connects in the background, at once and until it succeeds; afterwards the driver itself keeps watch. Throws where the settings cannot be
 * used, never for a database that is down.
 *
 * @param within milliseconds that an answer may take
 */
export const connectMongo = (settings: DatabaseSettings, timeoutMs: number): Connection => {
  const { client, database, hosts } = makeClient(settings, timeoutMs);
  const ready = new ReplaySubject<boolean>(1);
  let connecting: Promise<unknown> | undefined;
  let failure: { readonly error: StreamError; readonly at: number } | undefined;
  let answered = Number.NEGATIVE_INFINITY;

  client.on('topologyDescriptionChanged', ({ newDescription: { servers, compatible } }) => {
    const known = [...servers.values()];
    if (known.some(({ isReadable }) => isReadable)) {
      failure = undefined;
      ready.next(compatible);
    } else if (known.some(({ error }) => error)) {
      ready.next(false);
    }
  });

  const connect = (): Promise<unknown> => {
    connecting ??= client.connect().catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  };

  const unavailable = (asked: number, reason: string, cause?: unknown): StreamError => {
    const error = new StreamError('CATALOG_UNAVAILABLE', 'catalog', `MongoDB at ${hosts}: ${reason}`, { cause });
    // Whatever else goes wrong is told at once.
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

  const background = defer(connect)
    .pipe(retry({ delay: RETRY }))
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
    close: async () => {
      background.unsubscribe();
      ready.complete();
      // Where the server hangs up in this very moment, the driver waits for ever to say good-bye, and its watch keeps the process.
      const { topology } = client as unknown as { readonly topology?: { close(): void } };
      await Promise.race([client.close(), setTimeout(timeoutMs, undefined, { ref: false })]);
      topology?.close();
    },
  };
};
