import type { Command } from 'commander';
import { closeDebugger } from './debugger.ts';
import { settingsOf, withSettings } from './settings.ts';
import { boundYoungObjects } from './young-objects.ts';

export const addServe = (serve: Command): void => {
  withSettings(serve, 'all').action(async (_: unknown, command: Command) => {
    const { settings } = settingsOf(command);
    const [{ startDaemon }, { createLogger }, { notifierOf }, { takeSockets }] = await Promise.all([
      import('../app/daemon.ts'),
      import('../observe/log.ts'),
      import('../app/notifier.ts'),
      import('../systemd/sockets.ts'),
    ]);
    const logger = createLogger(settings.logLevel);
    const sockets = takeSockets(process.env, process.pid);
    // Only the daemon's user may read what it writes: also temporary files of libraries and core
    // dumps.
    process.umask(0o077);
    boundYoungObjects();
    // Before the daemon reports that it is ready: a supervisor may then send a signal at once, and
    // one without a listener ends the process.
    const stop = stopSignal();
    let reload = () => {};
    process.on('SIGHUP', () => reload());
    const daemon = await startDaemon(settings, logger, sockets);
    const systemd = notifierOf(daemon, logger);
    reload = () => {
      systemd?.reloading();
      daemon.reload();
      systemd?.ready();
    };
    systemd?.ready();
    closeDebugger(logger);
    await stop;
    systemd?.stopping(settings.stopTimeout);
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
