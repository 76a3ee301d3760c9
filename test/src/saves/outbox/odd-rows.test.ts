import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { openOutbox } from '../../../../src/saves/outbox/open.ts';
import { temporaryFolders } from '../../../support/folder.ts';

const folder = temporaryFolders();
const WELL = {
  path: '/well',
  importerId: 'i',
  unitId: 'u',
  unitTypeId: 'rpm',
  url: 'http://a/',
  revision: 1,
  data: {},
};

/** An outbox with rows of these entries, written by another program. */
const withRows = (...entries: readonly unknown[]) => {
  const file = join(folder(), 'saves');
  openOutbox(file, { onError: () => {} }).close();
  const database = new DatabaseSync(file);
  const insert = database.prepare(
    "INSERT INTO saves (unit_id, path, request_id, entry, noted_at, due_at) VALUES (?, '/a', 'r', ?, 0, 0)",
  );
  for (const [index, entry] of entries.entries()) insert.run(`unit ${index}`, JSON.stringify(entry));
  database.close();
  const errors: string[] = [];
  return { errors, outbox: openOutbox(file, { onError: ({ message }) => errors.push(message), window: 1 }) };
};

describe('a row of the outbox that another program wrote', () => {
  it.each([[null], [5], ['a'], [[]], [{}], [{ ...WELL, path: 5 }], [{ ...WELL, url: undefined }]])(
    'with the entry %j is removed, reported, and keeps no other from being delivered',
    async (entry) => {
      const { outbox, errors } = withRows(entry, entry, WELL);
      const save = await firstValueFrom(outbox.due);
      expect(save.entry).toEqual(WELL);
      expect(outbox.depth().waiting).toBe(1);
      expect(errors).toEqual([
        expect.stringContaining('has a row (1) that another program wrote, and removes it: it has no catalog entry'),
        expect.stringContaining('has a row (2) '),
      ]);
      outbox.close();
    },
  );

  it('is listed with its columns', () => {
    const { outbox } = withRows(null, WELL);
    const listed = [...outbox.list()].map(({ entry: { unitId, path } }) => [unitId, path]);
    expect(listed).toEqual([
      ['unit 0', '/a'],
      ['u', '/well'],
    ]);
    outbox.close();
  });
});
