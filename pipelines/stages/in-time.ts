import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { type CatalogEntry, type Policy, StreamError } from '../model/index.ts';
import { firstTimeout } from '../operators/first-timeout.ts';
import { fuse } from '../operators/fuse.ts';
import { stageOf } from '../operators/operate.ts';
import type { Transfer, TransferEvent } from './transfer.ts';

interface InTimeDeps {
  readonly policy: Pick<Policy, 'answerTimeout'>;
  readonly scheduler?: SchedulerLike;
}

/**
 * Gives a request until `answerTimeout` milliseconds after its subscription to get a head. Its
 * attempts plan with that time (`answerBy`), so that a source that fails is named and cools down.
 * Errors with `ANSWER_TIMEOUT` if nothing has begun by then: no candidate was found, no place was
 * free.
 */
export const inTime =
  ({ policy: { answerTimeout }, scheduler = asyncScheduler }: InTimeDeps, transfer: Transfer): Transfer =>
  (request) =>
    fuse(
      stageOf<readonly CatalogEntry[], TransferEvent>((out, valve) =>
        transfer({ ...request, answerBy: scheduler.now() + answerTimeout }).into(out, valve),
      ),
      firstTimeout({
        timeoutMs: answerTimeout,
        error: () =>
          new StreamError(
            'ANSWER_TIMEOUT',
            'self',
            `nothing was found out about ${request.path} within ${answerTimeout} ms`,
          ),
        scheduler,
      }),
    );
