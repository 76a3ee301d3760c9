import { MongoServerError } from 'mongodb';
import { catchError, defer, type MonoTypeOperatorFunction, mergeMap, throwError, timeout, timer } from 'rxjs';

/** MongoDB's code for a query that was ended from outside. */
const INTERRUPTED = 11_601;
/** How often a query is repeated, and the milliseconds before each time. */
const REPEATED = 3;
const PAUSE = 50;

/**
 * The server broke off a query that was not given up here: an administrator ended it, or, at FerretDB
 * with SQLite, another client went away whose query had the same connection to SQLite before. The driver
 * repeats neither.
 */
const isInterrupted = (error: unknown): boolean =>
  error instanceof Error &&
  error.cause instanceof MongoServerError &&
  (error.cause.code === INTERRUPTED || error.cause.message.includes('interrupted (9)'));

/**
 * Subscribes again to a query of a `Connection` that the server has interrupted, up to three times, while
 * fewer than `within` milliseconds have passed. Only for queries that write nothing: of a write nobody
 * knows what was done of it. Errors with the interruption if there is no answer by then, and with every
 * other error. Everything else passes.
 */
export const repeatInterrupted =
  <T>(within: number): MonoTypeOperatorFunction<T> =>
  (query) =>
    defer(() => {
      const by = performance.now() + within;
      const again = (times: number): MonoTypeOperatorFunction<T> =>
        catchError((error: unknown) => {
          const failed = throwError(() => error);
          const left = by - performance.now() - PAUSE;
          if (!isInterrupted(error) || times === 0 || left <= 0) return failed;
          const repeated = query.pipe(timeout({ first: left, with: () => failed }));
          return timer(PAUSE).pipe(mergeMap(() => repeated.pipe(again(times - 1))));
        });
      return query.pipe(again(REPEATED));
    });
