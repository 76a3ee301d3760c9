import type { Logger } from 'pino';
import { ConfigError } from '../config/config-error.ts';
import type { Loaded, Origins } from '../config/load.ts';
import { changesOf } from '../config/reload.ts';
import { keyOf, type Settings } from '../config/schema.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import { refusals } from './refusals.ts';

/** What became of a reload: settings as in files. */
export interface Reloaded {
  readonly applied: readonly string[];
  /** Those that differ from what the daemon runs with until it is restarted. */
  readonly restartNeeded: readonly string[];
  readonly warnings: readonly string[];
}

interface Parts {
  /** The settings that the daemon runs with, which a reload changes. */
  readonly running: { -readonly [Name in keyof Settings]: Settings[Name] };
  /** Reads the configuration. Throws a ConfigError if it is not valid. */
  readonly load: () => Pick<Loaded, 'settings' | 'warnings'> & { readonly origins: Partial<Origins> };
  /** Where the settings came from. */
  readonly origins: Partial<Origins>;
  /** Throws if the settings cannot be used; nothing is changed then. */
  readonly prepare: (settings: Settings) => void;
  /** Applies the settings that the daemon now runs with. */
  readonly apply: () => Promise<void>;
  readonly logger: Logger;
}

export interface Reloader {
  reload(): Promise<Reloaded>;
  /** Where the settings that the daemon runs with came from. */
  origins(): Partial<Origins>;
  /** Those that differ until a restart, as of the last reload. */
  restartNeeded(): readonly string[];
}

/**
 * Reads the configuration again, checks all of it, and applies what a reload can change. Rejects,
 * logs the reason and changes nothing if the configuration is not valid or cannot be used. One
 * reload follows the other.
 */
export const reloader = ({ running, load, prepare, apply, logger, ...parts }: Parts): Reloader => {
  let { origins } = parts;
  let restartNeeded: readonly string[] = [];
  let last: Promise<unknown> = Promise.resolve();

  const reload = async (): Promise<Reloaded> => {
    try {
      const { settings, warnings, ...loaded } = load();
      const problems = await refusals(settings);
      if (problems.length > 0) throw new ConfigError(problems);
      const { applied, restart } = changesOf(running, settings);
      const next = Object.fromEntries(applied.map((name) => [name, settings[name]]));
      prepare({ ...running, ...next });
      Object.assign(running, next);
      await apply();
      origins = { ...loaded.origins, ...Object.fromEntries(restart.map((name) => [name, origins[name]])) };
      restartNeeded = restart.map(keyOf);
      const result = { applied: applied.map(keyOf), restartNeeded, warnings };
      logger.info(result, 'configuration reloaded');
      return result;
    } catch (error) {
      const reason = maskUrl(messageOf(error));
      logger.error({ error: reason }, 'configuration not reloaded, the previous one stays in use');
      throw error;
    }
  };

  return {
    reload: () => {
      const next = last.then(reload);
      last = next.catch(() => {});
      return next;
    },
    origins: () => origins,
    restartNeeded: () => restartNeeded,
  };
};
