import { describe, expect, it } from '@jest/globals';
import { mayHave } from '../../../src/app/repositories/unlisted.ts';
import { openTables } from '../../../src/catalog/sqlite/tables.ts';
import type { StoredRepository } from '../../../src/catalog/stored-repository.ts';

const importerId = 'a'.repeat(24);
const zoo: StoredRepository = {
  ...{ prefix: '/zoo', importerId, format: 'yum', base: 'http://h/', selection: {}, strict: false, follows: true },
  ...{ complete: true, packages: 1, metadata: 0, succeeded: 1, attempted: 1 },
};

/** Whether the feed may have paths, with one package of the repository in the catalog. */
const asked = async (stored: StoredRepository, paths: readonly string[], others: readonly StoredRepository[] = []) => {
  const tables = openTables(':memory:');
  const staging = tables.entries.stage();
  const entry = { importerId, unitId: 'u', unitTypeId: 'rpm', url: 'http://h/bear.rpm', revision: 1, data: {} };
  staging.write([{ ...entry, path: '/zoo/Packages/b/bear.rpm', prefix: '/zoo' }]);
  staging.publishAsIs();
  for (const one of [stored, ...others]) tables.repositories.save(one);
  const found = await Promise.all(paths.map((path) => mayHave(stored, path, tables)));
  tables.close();
  return found;
};

describe('a feed may have a path that is not listed', () => {
  it('unless complete metadata lists all below its folder of packages', async () => {
    expect(await asked(zoo, ['Packages/x.rpm', 'Packages/c/x.rpm'])).toEqual([false, false]);
    expect(await asked(zoo, ['RPM-GPG-KEY', 'images/boot.iso', 'Packages'])).toEqual([true, true, true]);
    expect(await asked({ ...zoo, complete: false }, ['Packages/x.rpm'])).toEqual([true]);
    expect(await asked({ ...zoo, format: 'deb' }, ['Packages/x.deb'])).toEqual([true]);
  });

  it('if another repository may have it, around or within the folder', async () => {
    for (const prefix of ['', '/zoo', '/zoo/Packages', '/zoo/Packages/more']) {
      const other = { ...zoo, prefix, importerId: 'b'.repeat(24) };
      expect(await asked(zoo, ['Packages/x.rpm'], [other])).toEqual([true]);
    }
    expect(await asked(zoo, ['Packages/x.rpm'], [{ ...zoo, prefix: '/zoo/Packages2' }])).toEqual([false]);
  });

  it('and folders only of a tree without metadata', async () => {
    expect(await asked(zoo, ['', 'images/'])).toEqual([false, false]);
    expect(await asked({ ...zoo, format: 'raw' }, ['', 'images/', 'Packages/x.rpm'])).toEqual([true, true, true]);
  });
});
