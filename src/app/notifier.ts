import type { Logger } from 'pino';
import { messageOf } from '../lib/thrown.ts';
import { type Notifier, openNotifier } from '../systemd/notify.ts';
import { type Daemon, describeAddress } from './daemon.ts';

/**
 * Notifies systemd about a daemon, if it started the process. Its status has the addresses, the
 * requests so far, and what does not work at present.
 */
export const notifierOf = (
  { addresses, finished, streamer, workers }: Daemon,
  logger: Logger,
): Notifier | undefined => {
  let requests = 0;
  let failed = 0;
  const counting = finished.subscribe(({ status }) => {
    requests += 1;
    if (status >= 500) failed += 1;
  });
  /** Requests are counted where they are answered. */
  const counts = workers?.counts ?? (() => ({ answered: requests, failed }));
  const places = addresses.map(describeAddress).join(', ');
  const notifier = openNotifier({
    env: process.env,
    pid: process.pid,
    status: () => {
      const { answered, failed } = counts();
      const troubles = [...streamer.degraded(), ...(workers?.troubles() ?? [])];
      return [`${places}: ${answered} requests, ${failed} failed`, ...troubles].join('; ').replaceAll('\n', ' ');
    },
    onError: (error) => {
      const line = { error: messageOf(error) };
      logger.warn(
        line,
        'systemd not notified: it may take the daemon for one that failed (package systemd, systemd-notify)',
      );
    },
  });
  if (!notifier) counting.unsubscribe();
  return notifier;
};
