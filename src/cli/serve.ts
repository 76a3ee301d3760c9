import type { Command } from 'commander';
import type { Logger } from 'pino';
import { boundHeap } from '../lib/bound-heap.ts';
import { messageOf } from '../lib/thrown.ts';
import type { LogOutput } from '../observe/log-output.ts';
import { closeDebugger } from './debugger.ts';
import { loadedFor, settingsOf, withSettings } from './settings.ts';

export const addServe = (serve: Command): void => {
  withSettings(serve, 'all').action(async (_: unknown, command: Command) => {
    const { settings, origins } = settingsOf(command);
    const [{ startDaemon }, { createLogger }, { openLogFile }, { notifierOf }, { takeSockets }] = await Promise.all([
      import('../app/daemon.ts'),
      import('../observe/log.ts'),
      import('../app/log-file.ts'),
      import('../app/notifier.ts'),
      import('../systemd/sockets.ts'),
    ]);
    const output = openLogFile(settings);
    const logger = createLogger(settings.logLevel, output);
    const sockets = takeSockets(process.env, process.pid);
    // Only the daemon's user may read what it writes: also temporary files of libraries and core
    // dumps.
    process.umask(0o077);
    boundHeap();
    // Before the daemon reports that it is ready: a supervisor may then send a signal at once, and
    // one without a listener ends the process.
    const stop = stopSignal();
    let reload: () => Promise<unknown> = async () => {};
    // The reason of a failure is logged.
    process.on('SIGHUP', () => reload().catch(() => {}));
    let workers: { reopenLogs(): void } | undefined;
    process.on('SIGUSR1', () => {
      reopen(output, logger);
      workers?.reopenLogs();
    });
    const load = () => loadedFor(command);
    const daemon = await startDaemon(settings, logger, { load, origins, output, sockets });
    workers = daemon.workers;
    const systemd = notifierOf(daemon, logger);
    reload = async () => {
      systemd?.reloading();
      await daemon.reload().finally(() => systemd?.ready());
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

const reopen = (output: LogOutput, logger: Logger): void => {
  try {
    if (output.reopen()) logger.info('log file opened again');
  } catch (error) {
    logger.error({ error: messageOf(error) }, 'log file not opened again, the previous one stays in use');
  }
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
