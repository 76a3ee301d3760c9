import { asyncScheduler, identity, type Observable, type SchedulerLike, throwError, timeout } from 'rxjs';
import {
  type AskedBytes,
  type Candidate,
  errorSourceOf,
  type OpenSource,
  type Policy,
  type SourceEvent,
  StreamError,
  type StreamRequest,
} from '../../model/index.ts';
import { speedFloor } from '../../operators/speed-floor.ts';
import { stallTimeout } from '../../operators/stall-timeout.ts';
import { enforceLength } from './enforce-length.ts';

export interface AttemptDeps {
  readonly open: OpenSource;
  readonly policy: Policy;
  readonly scheduler?: SchedulerLike;
}

/**
 * One attempt at one candidate, from a byte on or for a range. Emits the source's events. Errors
 * with a StreamError if the head is late, or if the bytes stall or come too slowly. Also errors if
 * their number differs from what the source, the catalog, or the client's head (`promised`) states.
 * Unsubscribing closes the source.
 */
export const attempt = (
  { method, valve }: StreamRequest,
  candidate: Candidate,
  ask: AskedBytes,
  { open, policy, scheduler = asyncScheduler }: AttemptDeps,
  promised?: number,
): Observable<SourceEvent> => {
  const { url, access, problem } = candidate;
  if (problem) return throwError(() => problem);
  const { headTimeout, minSpeed, minSpeedWindow } = policy;
  const readTimeout = access?.readTimeout ?? policy.readTimeout;
  const fail = (code: 'HEAD_TIMEOUT' | 'STALLED' | 'TOO_SLOW', what: string) =>
    new StreamError(code, errorSourceOf(candidate), `${url} sent ${what}`);

  const bytes = open(candidate, { method, valve, ...ask }).pipe(
    timeout({
      first: headTimeout,
      with: () => throwError(() => fail('HEAD_TIMEOUT', `no response head within ${headTimeout} ms`)),
      scheduler,
    }),
    stallTimeout({
      timeoutMs: readTimeout,
      valve,
      error: () => fail('STALLED', `nothing for ${readTimeout} ms`),
      scheduler,
    }),
  );
  if (method === 'HEAD') return bytes;

  // Our own speed limit must not count against the source.
  const least = access?.maxSpeed === undefined ? (minSpeed * minSpeedWindow) / 1000 : 0;
  return bytes.pipe(
    least > 0
      ? speedFloor({
          atLeast: least,
          window: minSpeedWindow,
          size: (event) => (event.type === 'chunk' ? event.bytes.length : 0),
          valve,
          error: () => fail('TOO_SLOW', `less than ${minSpeed} bytes per second for ${minSpeedWindow} ms`),
          scheduler,
        })
      : identity,
    enforceLength(candidate, policy.sizeLimit, promised),
  );
};
