import { MongoServerError } from 'mongodb';
import { type MonoTypeOperatorFunction, retry, throwError, timer } from 'rxjs';

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
 * Subscribes again to a query of a `Connection` that the server has interrupted, up to three times. Only
 * for queries that write nothing: of a write nobody knows what was done of it. Everything else passes.
 */
export const repeatInterrupted = <T>(): MonoTypeOperatorFunction<T> =>
  retry({
    count: REPEATED,
    delay: (error: unknown) => (isInterrupted(error) ? timer(PAUSE) : throwError(() => error)),
  });
