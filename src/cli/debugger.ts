import type { Logger } from 'pino';

/**
 * Closes Node's debugger unless the command line or NODE_OPTIONS asked for it. A SIGUSR1 that
 * arrives while Node itself starts, before the launcher listens, opens it. Called once the daemon
 * is ready, since the module takes milliseconds to load.
 */
export const closeDebugger = (logger: Logger): void => {
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  if (given.some((option) => /^--inspect(-brk|-wait)?(=|$)/.test(option))) return;
  const inspector = process.getBuiltinModule('node:inspector');
  if (inspector.url() === undefined) return;
  inspector.close();
  logger.warn('debugger closed, a SIGUSR1 during the start had opened it');
};
