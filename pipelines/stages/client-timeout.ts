import { identity, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { type Chunk, type Head, type Note, type Policy, StreamError, type StreamRequest } from '../model/index.ts';
import { closedTimeout } from '../operators/closed-timeout.ts';

/** Cuts a consumer that wants nothing for longer than `clientTimeout`: it errors with `CLIENT_STUCK`, and all that it held is free. */
export const clientTimeout = (
  { valve }: StreamRequest,
  { policy: { clientTimeout }, scheduler }: { policy: Pick<Policy, 'clientTimeout'>; scheduler?: SchedulerLike },
): MonoTypeOperatorFunction<Head | Chunk | Note> =>
  clientTimeout > 0
    ? closedTimeout({
        timeoutMs: clientTimeout,
        valve,
        error: () => new StreamError('CLIENT_STUCK', 'client', `the client took nothing for ${clientTimeout} ms`),
        ...(scheduler && { scheduler }),
      })
    : identity;
