import type { Settings } from '../config/schema.ts';
import { type LogOutput, openLogOutput } from '../observe/log-output.ts';
import { invalid } from './save-settings.ts';

/** Where the settings have the log written. Throws a ConfigError if the file cannot be opened. */
export const openLogFile = ({ logFile }: Pick<Settings, 'logFile'>): LogOutput => naming(() => openLogOutput(logFile));

/** Continues in the file that the settings name. If that cannot be opened, throws, and nothing changes. */
export const moveLog = (output: LogOutput | undefined, { logFile }: Pick<Settings, 'logFile'>): void =>
  naming(() => output?.moveTo(logFile));

const naming = <T>(use: () => T): T => {
  try {
    return use();
  } catch (error) {
    throw invalid('logFile', error);
  }
};
