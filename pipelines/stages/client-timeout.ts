import { identity, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { type Chunk, type Head, type Note, type Policy, StreamError, type StreamRequest } from '../model/index.ts';
import { closedTimeout } from '../operators/closed-timeout.ts';

/**
 * Errors with `CLIENT_STUCK` if the valve stays closed for longer than `clientTimeout` milliseconds
 * (0: never). The error frees everything that the request holds.
 */
export const clientTimeout = (
  { valve }: StreamRequest,
  { policy: { clientTimeout }, scheduler }: { policy: Pick<Policy, 'clientTimeout'>; scheduler?: SchedulerLike },
): MonoTypeOperatorFunction<Head | Chunk | Note> =>
  clientTimeout > 0
    ? closedTimeout({
        timeoutMs: clientTimeout,
        valve,
        error: () => new StreamError('CLIENT_STUCK', 'client', `the client read nothing for ${clientTimeout} ms`),
        ...(scheduler && { scheduler }),
      })
    : identity;
