import type { Command } from 'commander';
import { startDaemon } from '../daemon.ts';
import { createLogger } from '../observe/log.ts';
import { settingsOf, withSettings } from './settings.ts';

export const addServe = (program: Command): void => {
  withSettings(
    program
      .command('serve')
      .description('run the daemon until SIGTERM or SIGINT; SIGHUP reads the descriptors of alternate sources anew'),
    'all',
  ).action(async (_: unknown, command: Command) => {
    const { settings } = settingsOf(command);
    const logger = createLogger(settings.logLevel);
    const daemon = await startDaemon(settings, logger);
    process.on('SIGHUP', daemon.streamer.alternates.reload);
    await stopped();
    logger.info({ within: settings.stopTimeout }, 'stopping; a second signal stops at once');
    for (const signal of SIGNALS) process.once(signal, () => process.exit(1));
    await daemon.stop();
    logger.info('stopped');
    for (const signal of SIGNALS) process.removeAllListeners(signal);
  });
};

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

const stopped = (): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      for (const signal of SIGNALS) process.off(signal, done);
      resolve();
    };
    for (const signal of SIGNALS) process.on(signal, done);
  });
