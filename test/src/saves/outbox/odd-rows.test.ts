import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, take, toArray } from 'rxjs';
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
  it.each([
    [null],
    [5],
    ['a'],
    [[]],
    [{}],
    [{ ...WELL, path: 5 }],
    [{ ...WELL, url: undefined }],
    [{ ...WELL, data: null }],
    [{ ...WELL, size: -1 }],
    [{ ...WELL, checksum: 'a' }],
    [{ ...WELL, checksum: { algorithm: 'toString', value: '0'.repeat(64) } }],
    [{ ...WELL, checksum: { algorithm: 'sha256', value: '../../a' } }],
  ])('with the entry %j is removed, reported, and keeps no other from being delivered', async (entry) => {
    const { outbox, errors } = withRows(entry, entry, WELL);
    const save = await firstValueFrom(outbox.due);
    expect(save.entry).toEqual(WELL);
    expect(outbox.depth().waiting).toBe(1);
    expect(errors).toEqual([
      expect.stringContaining('has a row (1) that another program wrote, and removes it: it has no catalog entry'),
      expect.stringContaining('has a row (2) '),
    ]);
    outbox.close();
  });

  it('is listed with its columns', () => {
    const { outbox } = withRows(null, WELL);
    const listed = [...outbox.list()].map(({ entry: { unitId, path } }) => [unitId, path]);
    expect(listed).toEqual([
      ['unit 0', '/a'],
      ['u', '/well'],
    ]);
    outbox.close();
  });

  it('is delivered, listed and put off whatever its numbers are, and keeps no other from that', async () => {
    const file = join(folder(), 'saves');
    openOutbox(file, { onError: () => {} }).close();
    const database = new DatabaseSync(file);
    const insert = database.prepare(
      'INSERT INTO saves (unit_id, path, request_id, entry, noted_at, due_at, failures) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    const add = (path: string, noted: bigint, due: bigint, failures: bigint) =>
      insert.run('u', path, 'r', JSON.stringify({ ...WELL, path }), noted, due, failures);
    const [most, least] = [2n ** 63n - 1n, -(2n ** 63n)];
    add('/now', least, least, most);
    add('/later', most, most, 0n);
    add('/well', 0n, 0n, 0n);
    database.close();
    const errors: string[] = [];
    const outbox = openOutbox(file, { onError: ({ message }) => errors.push(message) });
    const due = await firstValueFrom(outbox.due.pipe(take(2), toArray()));
    expect(due.map(({ entry: { path } }) => path)).toEqual(['/now', '/well']);
    expect([...outbox.list()].map(({ entry: { path } }) => path)).toEqual(['/now', '/later', '/well']);
    expect(outbox.depth()).toMatchObject({ waiting: 3 });
    const [now] = due;
    if (now) outbox.putOff(now, 1000, 'again');
    expect(outbox.flush()).toBe(true);
    expect(errors).toEqual([]);
    outbox.close();
  });
});
