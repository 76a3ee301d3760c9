import type { Logger } from 'pino';
import { retry, timer } from 'rxjs';
import { type Health, sourceName } from '../../pipelines/index.ts';
import type { Settings } from '../config/schema.ts';
import { messageOf } from '../lib/thrown.ts';
import { writeHealth } from '../observe/health-file.ts';
import { healthFile } from './state-folder.ts';

/** Milliseconds until the states of sources are written again after an error of the disk. */
const HEALTH_AGAIN = 30_000;

/**
 * Keeps the file that other processes read which sources are unhealthy from. Disposing of it waits for
 * a write that began.
 */
export const recordUnhealthy = (
  settings: Settings,
  logger: Logger,
  { changes, unhealthy }: Health,
): AsyncDisposable => {
  let last: Promise<void> | undefined;
  const recording = writeHealth(
    healthFile(settings),
    changes,
    () => unhealthy().map((one) => ({ ...one, source: sourceName(one.source) })),
    (writing) => {
      last = writing;
    },
  )
    .pipe(
      retry({
        delay: (error) => {
          logger.error({ error: messageOf(error) }, 'states of sources not written, commands will not show them');
          return timer(HEALTH_AGAIN);
        },
      }),
    )
    .subscribe();
  return {
    [Symbol.asyncDispose]: async () => {
      recording.unsubscribe();
      await Promise.allSettled([last]);
    },
  };
};
