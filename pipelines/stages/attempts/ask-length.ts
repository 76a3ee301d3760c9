import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  first,
  map,
  type Observable,
  of,
  timeout,
} from 'rxjs';
import {
  type Candidate,
  isSameState,
  type SourceEvent,
  type SourceHead,
  type StreamRequest,
} from '../../model/index.ts';
import { under } from '../../operators/flow.ts';
import { OPEN } from '../../operators/valve.ts';
import { type AttemptDeps, attempt } from './attempt.ts';
import { headAlone } from './open-head.ts';

/**
 * Asks a candidate for the length of its content, which its answer does not have. A HEAD request
 * comes first, then a GET for the first byte, whose `Content-Range` has the total. Emits the length
 * in bytes, then completes. Emits `undefined` if neither answer has it, if they are about content
 * other than the head's, or after `timeoutMs` milliseconds. Never errors. Unsubscribing closes the
 * source.
 */
export const askLength = (
  request: StreamRequest,
  candidate: Candidate,
  head: SourceHead,
  deps: AttemptDeps & { readonly timeoutMs: number },
): Observable<number | undefined> => {
  const ask = (method: StreamRequest['method'], last?: number) =>
    defer(() => attempt({ ...request, method, parts: undefined }, candidate, { from: 0, last }, deps)(OPEN)).pipe(
      catchError(() => EMPTY),
    );
  // Otherwise its answer to HEAD was one about the first byte.
  const byFirst = defer(() =>
    deps.health?.refusesHead(candidate) ? EMPTY : ask('GET', 0).pipe(under(OPEN, headAlone())),
  );
  return concat(ask('HEAD'), byFirst).pipe(
    filter((event: SourceEvent): event is SourceHead => event.type === 'head'),
    filter((found) => found.length !== undefined && isSameState(candidate, head, found)),
    map(({ length }) => length),
    first(undefined, undefined),
    timeout({ first: deps.timeoutMs, scheduler: deps.scheduler ?? asyncScheduler }),
    catchError(() => of(undefined)),
  );
};
