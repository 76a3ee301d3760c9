import type { Command } from 'commander';
import { describeFindings, narrowState } from '../app/state-folder.ts';
import { ConfigError } from '../config/config-error.ts';
import { type Loaded, loadSettings } from '../config/load.ts';
import { flagsOf, type SettingName, type Settings } from '../config/schema.ts';
import { oneLine } from './one-line.ts';

/**
 * Adds `--config` and the flags of the settings that matter to the command; other settings come
 * from files and environment.
 */
export const withSettings = (command: Command, names: readonly SettingName[] | 'all'): Command => {
  command.option('--config <file...>', 'configuration files, instead of the standard ones in /etc');
  for (const { name, flags, description, default: byDefault } of flagsOf())
    if (names === 'all' || names.some((one) => one === name))
      command.option(flags, `${description} (default: ${byDefault || 'empty'})`);
  return command;
};

/** The settings that a command was given, by its flags and those of its parents. */
export const loadedFor = (command: Command): Loaded => {
  const { config, ...flags } = command.optsWithGlobals<{ config?: string[] } & Record<string, string>>();
  return loadSettings({ files: config, env: process.env, flags, outsideService: command.name() !== 'serve' });
};

/** The same; warnings go to standard error. */
export const settingsOf = (command: Command): Loaded => {
  const loaded = loadedFor(command);
  for (const warning of loaded.warnings) process.stderr.write(`warning: ${oneLine(warning)}\n`);
  return loaded;
};

/**
 * The control socket of the daemon that a command is for. It is known although other settings are
 * not valid: the running daemon still has the ones of its start.
 */
export const controlSocketOf = (command: Command): string => {
  try {
    return loadedFor(command).settings.controlSocket;
  } catch (error) {
    const socket = error instanceof ConfigError ? error.valid.controlSocket : undefined;
    if (typeof socket !== 'string') throw error;
    return socket;
  }
};

/**
 * The settings of a command that opens the streamer's files. Permissions of other users on them are
 * removed, with a warning.
 */
export const stateOf = (command: Command): Settings => {
  const { settings } = settingsOf(command);
  process.stderr.write(describeFindings(narrowState(settings)));
  return settings;
};
