import { existsSync } from 'node:fs';
import { openTables } from '../catalog/sqlite/tables.ts';
import type { CopiesContext } from './copies.ts';
import { stateOf, withSettings } from './settings.ts';

/** The commands for saved copies run with this process and its settings. */
export const copiesContext: CopiesContext = {
  prepare: (command) => withSettings(command, ['stateDir', 'catalog', 'saveDir']),
  withCopies: async (command, work) => {
    const { saveDir, catalog: file } = stateOf(command);
    // A catalog made here would belong to the user of this command.
    if (!existsSync(file)) return work(saveDir, []);
    const catalog = openTables(file);
    try {
      return await work(saveDir, catalog.entries.list('/', 'age'));
    } finally {
      catalog.close();
    }
  },
  stdout: process.stdout,
};
