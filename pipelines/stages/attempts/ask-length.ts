import {
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  first,
  map,
  type Observable,
  of,
  reduce,
  takeWhile,
  timeout,
} from 'rxjs';
import {
  type Candidate,
  isSameState,
  type SourceEvent,
  type SourceHead,
  type StreamRequest,
} from '../../model/index.ts';
import { type AttemptDeps, attempt } from './attempt.ts';

/**
 * Asks a candidate how long its content is, since its answer does not say: by HEAD, then by the first byte alone, whose place in the whole
 * tells. Emits the bytes, or nothing if it does not say that either, speaks of other content than the head's, or takes longer than `within`
 * milliseconds; then completes. Never errors. Unsubscribing closes the source.
 */
export const askLength = (
  request: StreamRequest,
  candidate: Candidate,
  head: SourceHead,
  deps: AttemptDeps & { readonly timeoutMs: number },
): Observable<number | undefined> => {
  const valve = of(true);
  const ask = (method: StreamRequest['method'], last?: number) =>
    defer(() => attempt({ ...request, valve, method }, candidate, { from: 0, last }, deps)).pipe(
      catchError(() => EMPTY),
    );
  const byFirst = ask('GET', 0).pipe(
    // Its one byte is read, so that the connection can be used again; of a body that is more, nothing is.
    takeWhile((event) => event.type === 'chunk' || event.last === 0, true),
    reduce<SourceEvent, SourceEvent>((head, event) => (event.type === 'head' ? event : head)),
  );
  return concat(ask('HEAD'), byFirst).pipe(
    filter((event: SourceEvent): event is SourceHead => event.type === 'head'),
    filter((found) => found.length !== undefined && isSameState(candidate, head, found)),
    map(({ length }) => length),
    first(undefined, undefined),
    timeout({ first: deps.timeoutMs, with: () => of(undefined), ...(deps.scheduler && { scheduler: deps.scheduler }) }),
    catchError(() => of(undefined)),
  );
};
