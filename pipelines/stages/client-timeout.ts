import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { type Chunk, type Head, type Note, type Policy, StreamError } from '../model/index.ts';
import { closedTimeout } from '../operators/closed-timeout.ts';
import { fuse } from '../operators/fuse.ts';
import type { Stage } from '../operators/operate.ts';

/**
 * Errors with `CLIENT_STUCK` if the valve stays closed for longer than `clientTimeout` milliseconds
 * (0: never). The error frees everything that the request holds.
 */
export const clientTimeout = ({
  policy: { clientTimeout },
  scheduler = asyncScheduler,
}: {
  policy: Pick<Policy, 'clientTimeout'>;
  scheduler?: SchedulerLike;
}): Stage<Head | Chunk | Note, Head | Chunk | Note> =>
  clientTimeout > 0
    ? closedTimeout({
        timeoutMs: clientTimeout,
        error: () => new StreamError('CLIENT_STUCK', 'client', `the client read nothing for ${clientTimeout} ms`),
        scheduler,
      })
    : fuse();
