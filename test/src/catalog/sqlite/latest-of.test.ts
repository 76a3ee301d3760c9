import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { openSqliteCatalog } from '../../../../src/catalog/sqlite/catalog.ts';
import { latestOf } from '../../../../src/catalog/sqlite/latest-of.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();

it('has what was taken from a catalog before ask the one that took its place', () => {
  const open = () => openSqliteCatalog(join(newFolder(), 'catalog.db'));
  let current = open();
  const catalog = { ...latestOf(() => current) };
  const { history, repositories } = catalog;
  const { isPrefix } = history;
  const { list } = repositories;
  expect(isPrefix('/p')).toBe(false);
  current.close();
  current = open();
  expect(isPrefix('/p')).toBe(false);
  expect(list()).toEqual([]);
  expect(catalog.children).toBeDefined();
  current.close();
  expect(() => list()).toThrow('finalized');
});
