import { existsSync } from 'node:fs';
import { openShelf } from '../app/copy-store.ts';
import { openOwnCatalog } from '../app/own-catalog.ts';
import type { CopiesContext } from './copies.ts';
import { stateOf, withSettings } from './settings.ts';

/** The commands for saved copies run with this process and its settings. */
export const copiesContext: CopiesContext = {
  prepare: (command) => withSettings(command, ['stateDir', 'catalog', 'saveDir', 'saveUrl']),
  withCopies: async (command, work) => {
    const settings = stateOf(command);
    const { catalogType, catalog: file } = settings;
    const shelf = await openShelf(settings);
    try {
      // A catalog made here would belong to the user of this command.
      if (catalogType !== 'shared' && !existsSync(file)) return await work(shelf, []);
      const catalog = await openOwnCatalog(settings);
      try {
        return await work(shelf, catalog.entries.list('/', 'age'));
      } finally {
        await catalog.close();
      }
    } finally {
      shelf.close();
    }
  },
  stdout: process.stdout,
};
