import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openTables } from '../../../src/catalog/sqlite/tables.ts';
import { chooseImporter } from '../../../src/cli/repository-options.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();

it('two imports that begin at once have one importer', async () => {
  const file = join(newFolder(), 'catalog.db');
  const [one, other] = [openTables(file), openTables(file)];
  const config = { basic_auth_username: 'u' };
  const importers = {
    ...one.importers,
    // The other one looks and adds between the look and the addition of this one.
    add: (...given: Parameters<typeof one.importers.add>) => {
      other.importers.add({ config });
      return one.importers.add(...given);
    },
  };
  const chosen = await chooseImporter({ ...one, importers }, config, undefined, undefined);
  const [left, ...more] = other.importers.list();
  expect([left?.id, more]).toEqual([chosen.importer.id, []]);
  // It is the other one's.
  await chosen.undo();
  expect(other.importers.list()).toHaveLength(1);
  one.close();
  other.close();
});
