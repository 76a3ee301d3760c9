import { existsSync } from 'node:fs';
import { openOwnCatalog } from '../app/own-catalog.ts';
import type { CopiesContext } from './copies.ts';
import { stateOf, withSettings } from './settings.ts';

/** The commands for saved copies run with this process and its settings. */
export const copiesContext: CopiesContext = {
  prepare: (command) => withSettings(command, ['stateDir', 'catalog', 'saveDir']),
  withCopies: async (command, work) => {
    const settings = stateOf(command);
    const { saveDir, catalogType, catalog: file } = settings;
    // A catalog made here would belong to the user of this command.
    if (catalogType !== 'shared' && !existsSync(file)) return work(saveDir, []);
    const catalog = await openOwnCatalog(settings);
    try {
      return await work(saveDir, catalog.entries.list('/', 'age'));
    } finally {
      await catalog.close();
    }
  },
  stdout: process.stdout,
};
