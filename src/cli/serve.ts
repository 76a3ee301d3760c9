import type { Command } from 'commander';
import { startDaemon } from '../app/daemon.ts';
import { createLogger } from '../observe/log.ts';
import { settingsOf, withSettings } from './settings.ts';

export const addServe = (program: Command): void => {
  withSettings(
    program
      .command('serve')
      .description(
        'run the daemon until SIGTERM or SIGINT; SIGHUP reads anew the descriptors of alternate sources and the key of signed URLs',
      ),
    'all',
  ).action(async (_: unknown, command: Command) => {
    const { settings } = settingsOf(command);
    const logger = createLogger(settings.logLevel);
    // Whatever this process writes, a library's temporary file or a core dump, is for its user alone.
    process.umask(0o077);
    // Before the daemon says that it is ready: who reads that may send a signal at once, and what nobody listens for ends the process.
    const stop = stopSignal();
    let reload = () => {};
    process.on('SIGHUP', () => reload());
    const daemon = await startDaemon(settings, logger);
    reload = daemon.reload;
    await stop;
    const stopped = daemon.stop();
    logger.info({ within: settings.stopTimeout / 1000 }, 'stopping; a second signal stops at once');
    await stopped;
    logger.info('stopped');
    for (const signal of [...SIGNALS, 'SIGHUP']) process.removeAllListeners(signal);
  });
};

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Resolves with the first signal to stop; the second ends the process. */
const stopSignal = (): Promise<void> =>
  new Promise((resolve) => {
    let stopping = false;
    for (const signal of SIGNALS)
      process.on(signal, () => {
        if (stopping) process.exit(1);
        stopping = true;
        resolve();
      });
  });
