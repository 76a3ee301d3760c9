import { outboxFile } from '../app/state-folder.ts';
import type { SavesContext } from './saves.ts';
import { stateOf, withSettings } from './settings.ts';

/** The commands for waiting saves run with this process and its settings. */
export const savesContext: SavesContext = {
  prepare: (command) => withSettings(command, ['stateDir']),
  outboxFile: (command) => outboxFile(stateOf(command)),
  stdout: process.stdout,
};
