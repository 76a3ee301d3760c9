import { catchError, tap, throwError } from 'rxjs';
import {
  type Ask,
  type AskedBytes,
  type Candidate,
  type Location,
  type OpenSource,
  type SourceEvent,
  type SourceHead,
  StreamError,
} from '../../model/index.ts';
import { deferFlow } from '../../operators/flow.ts';
import { operate } from '../../operators/operate.ts';
import { type Flow, OPEN } from '../../operators/valve.ts';
import type { Health } from '../health/health.ts';

interface OpenHeadDeps {
  readonly open: OpenSource;
  readonly health?: Pick<Health, 'refusesHead' | 'foundToRefuseHead'>;
}

/** A presigned URL is signed for GET alone; other sources lack the method. */
const REFUSALS: ReadonlySet<number | undefined> = new Set([403, 405, 501]);

const refusesHead = (error: unknown): boolean => error instanceof StreamError && REFUSALS.has(error.sourceStatus);

/**
 * Asks a candidate for its head alone, then completes. If it refuses HEAD, it is asked for its first
 * byte by GET, and its source is not asked by HEAD for a while. Errors with the failure of the last
 * of these requests. Unsubscribing closes the source.
 */
export const openHead = (
  candidate: Candidate & Location,
  ask: Omit<Ask, 'method' | keyof AskedBytes> & Pick<Ask, 'unless'>,
  { open, health }: OpenHeadDeps,
): Flow<SourceEvent> => {
  const byFirst = deferFlow((valve) => open(candidate, { ...ask, method: 'GET', from: 0, last: 0 })(valve));
  // The byte is not for the consumer.
  const first = headAlone()(byFirst)(OPEN);
  return deferFlow((valve) => {
    if (health?.refusesHead(candidate)) return first;
    return open(candidate, { ...ask, method: 'HEAD', from: 0 })(valve).pipe(
      catchError((error: unknown) =>
        refusesHead(error) ? first.pipe(tap(() => health?.foundToRefuseHead(candidate))) : throwError(() => error),
      ),
    );
  });
};

/**
 * The head of an answer to a request for the first byte, as HEAD would have it. The byte is read, so
 * that its connection can be reused. A longer body is not read: its source is left.
 */
export const headAlone = () =>
  operate<SourceEvent, SourceHead>((out) => {
    let found: SourceHead | undefined;
    const finish = () => {
      if (found) out.next(found);
      out.complete();
    };
    return {
      next: (event) => {
        if (event.type === 'chunk') return;
        const { last, ...head } = event;
        found = head;
        if (last !== 0) finish();
      },
      complete: finish,
      error: (error) => (found ? finish() : out.error(error)),
    };
  });
