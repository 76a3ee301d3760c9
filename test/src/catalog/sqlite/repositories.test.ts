import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { openTables } from '../../../../src/catalog/sqlite/tables.ts';
import type { StoredRepository } from '../../../../src/catalog/stored-repository.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();

const REPOSITORY: StoredRepository = {
  ...{ prefix: '/r', importerId: 'a'.repeat(24), format: 'yum', base: 'http://h/', selection: { lists: ['x'] } },
  roots: { digests: { 'http://h/x': null }, states: {} },
  ...{ strict: true, every: 60, packages: 1, metadata: 2, succeeded: 1, attempted: 2 },
};

/** A catalog whose table of repositories an earlier version made, with one repository. */
const oldCatalog = (): string => {
  const file = join(newFolder(), 'catalog.db');
  const tables = openTables(file);
  tables.repositories.save(REPOSITORY);
  tables.close();
  const database = new DatabaseSync(file);
  const columns = database.prepare("SELECT name FROM pragma_table_info('repositories')").all();
  const added = columns.map(({ name }) => String(name)).slice(columns.findIndex(({ name }) => name === 'problem') + 1);
  expect(added).toContain('next_try');
  for (const name of added) database.exec(`ALTER TABLE repositories DROP COLUMN ${name}`);
  database.close();
  return file;
};

describe('a table of repositories that an earlier version made', () => {
  it('gets the columns of this version, with its content', () => {
    const file = oldCatalog();
    const [tables, other] = [openTables(file), openTables(file)];
    expect(tables.repositories.list()).toEqual([REPOSITORY]);
    tables.repositories.failed(REPOSITORY, 5, 'broken', 9);
    expect(other.repositories.find(REPOSITORY)).toEqual({
      ...REPOSITORY,
      ...{ attempted: 5, problem: 'broken', nextTry: 9 },
    });
    tables.close();
    other.close();
  });

  it('is read as it is if nothing may be written to it', () => {
    const file = oldCatalog();
    const tables = openTables(file, { immutable: true });
    expect(tables.repositories.list()).toEqual([REPOSITORY]);
    expect([...tables.entries.listSingle()]).toEqual([]);
    tables.close();
    const database = new DatabaseSync(file);
    expect(database.prepare("SELECT 1 FROM pragma_table_info('repositories') WHERE name = 'next_try'").all()).toEqual(
      [],
    );
    database.close();
  });

  it('may still be written by a process of that version', () => {
    const file = oldCatalog();
    const old = new DatabaseSync(file);
    const update = old.prepare('UPDATE repositories SET attempted = 7');
    const tables = openTables(file);
    update.run();
    expect(tables.repositories.list()).toEqual([{ ...REPOSITORY, attempted: 7 }]);
    old.close();
    tables.close();
  });
});

it('keeps the next try through failures that plan none, until a success', () => {
  const { repositories, close } = openTables(':memory:');
  repositories.save(REPOSITORY);
  repositories.failed(REPOSITORY, 5, 'broken', 9);
  repositories.failed(REPOSITORY, 6, 'still broken');
  expect(repositories.find(REPOSITORY)).toMatchObject({ problem: 'still broken', nextTry: 9 });
  repositories.save(REPOSITORY);
  expect(repositories.find(REPOSITORY)).toEqual(REPOSITORY);
  close();
});
