import { defer, filter, map, type Observable, of, ReplaySubject, share, throwError, timeout } from 'rxjs';
import { type Access, type Chunk, OPEN, type OpenSource, StreamError } from '../../pipelines/index.ts';
import type { Cataloger, ReadWhole } from './catalogers/cataloger.ts';
import type { AlternateSource } from './descriptors/parse.ts';

/**
 * The access to a source: that of its descriptor, with the header fields that its type needs in
 * addition. Emits once, then completes.
 */
export const sourceAccess = (
  catalogers: readonly Cataloger[],
  open: OpenSource,
  now: () => number,
): ((source: AlternateSource) => Observable<Access>) => {
  const headersOf = new Map(
    catalogers.flatMap(({ type, headers }) =>
      headers ? [[type, keeping(() => headers(wholeReader(open)), now)]] : [],
    ),
  );
  // Made once for each version of a descriptor, so that its connections are prepared once.
  const accesses = new WeakMap<AlternateSource, Access>();
  return (source) => {
    const { id, type, access: described } = source;
    const access = accesses.get(source) ?? { ...described, owner: { kind: 'alternate', id } };
    accesses.set(source, access);
    return (
      headersOf.get(type)?.pipe(map((more) => ({ ...access, headers: [...(access.headers ?? []), ...more] }))) ??
      of(access)
    );
  };
};

/**
 * Milliseconds. An instance's identity service answers at once or not at all, and a client may be
 * waiting.
 */
const IDENTITY = { timeoutMs: 2_000, retryAfter: 60_000 };

/**
 * Asks once and keeps the answer. After a failure it asks again, but only once `retryAfter` has
 * passed.
 */
const keeping = <T>(ask: () => Observable<T>, now: () => number): Observable<T> => {
  let kept: Observable<T> | undefined;
  let failedAt: number | undefined;
  const askAnew = () =>
    defer(ask).pipe(
      share({
        connector: () => new ReplaySubject<T>(1),
        resetOnComplete: false,
        resetOnError: false,
        resetOnRefCountZero: false,
      }),
    );
  return defer(() => {
    if (kept === undefined || (failedAt !== undefined && now() - failedAt > IDENTITY.retryAfter)) {
      failedAt = undefined;
      kept = askAnew();
      kept.subscribe({
        error: () => {
          failedAt = now();
        },
      });
    }
    return kept;
  });
};

const wholeReader =
  (open: OpenSource): ReadWhole =>
  (url) => {
    const late = () => new StreamError('HEAD_TIMEOUT', 'feed', `${url} did not answer within ${IDENTITY.timeoutMs} ms`);
    return open(
      { url },
      { method: 'GET', from: 0 },
    )(OPEN).pipe(
      timeout({ first: IDENTITY.timeoutMs, each: IDENTITY.timeoutMs, with: () => throwError(late) }),
      filter((event): event is Chunk => event.type === 'chunk'),
      map(({ bytes }) => bytes),
    );
  };
