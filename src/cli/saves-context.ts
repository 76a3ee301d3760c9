import { outboxFile } from '../streamer.ts';
import type { SavesContext } from './saves.ts';
import { settingsOf, withSettings } from './settings.ts';

/** The surroundings of the commands for waiting saves: this process and its settings. */
export const savesContext: SavesContext = {
  prepare: (command) => withSettings(command, ['stateDir']),
  outboxFile: (command) => outboxFile(settingsOf(command).settings),
  stdout: process.stdout,
};
