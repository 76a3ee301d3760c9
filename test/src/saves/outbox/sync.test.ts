import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { syncPath } from '../../../../src/saves/copies/files.ts';
import { type Durable, makeDurable } from '../../../../src/saves/outbox/sync.ts';
import { temporaryFolders } from '../../../support/folder.ts';
import { until } from '../../../support/until.ts';

const folder = temporaryFolders();
const opened: { close(): void }[] = [];
afterEach(() => {
  jest.useRealTimers();
  for (const one of opened.splice(0)) one.close();
});

/** A database whose commits do not wait for the disk, with its background sync. */
const open = (sync?: (file: string) => Promise<void>) => {
  const file = join(folder(), 'some.db');
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE numbers (number INTEGER)');
  const errors: unknown[] = [];
  const durable: Durable = makeDurable(file, { onError: (error) => errors.push(error), sync });
  opened.push(durable, database);
  const write = () => database.exec('INSERT INTO numbers VALUES (1)');
  return { file, durable, errors, write };
};

describe('commits', () => {
  it('are synced within a second, all of one second at once', () => {
    jest.useFakeTimers();
    const synced: string[] = [];
    const { file, durable } = open(async (path) => {
      synced.push(path);
    });
    for (let i = 0; i < 10; i += 1) durable.soon(1);
    jest.advanceTimersByTime(999);
    expect(synced).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(synced).toEqual([`${file}-wal`]);
    jest.advanceTimersByTime(10_000);
    expect(synced).toHaveLength(1);
    durable.soon(1);
    jest.advanceTimersByTime(1_000);
    expect(synced).toHaveLength(2);
  });

  it('are synced by the system without an error', async () => {
    const { file, write } = open();
    write();
    await syncPath(`${file}-wal`);
  });

  it('that the disk refuses are reported', async () => {
    const { durable, errors } = open(() => Promise.reject(new Error('EIO')));
    durable.soon(1);
    await until(() => errors.length > 0);
    expect(errors).toEqual([new Error('EIO')]);
  });

  it('are moved from the log into the database once they are many, on another thread', async () => {
    const { file, durable, errors, write } = open();
    write();
    durable.soon(4_000);
    // A copy without the log.
    const copy = join(folder(), 'copy.db');
    const inDatabase = () => {
      copyFileSync(file, copy);
      try {
        using found = new DatabaseSync(copy);
        return Number(found.prepare('SELECT count(*) AS count FROM numbers').get()?.count);
      } catch {
        return 0; // The table does not exist yet, or was copied during a write.
      }
    };
    expect(inDatabase()).toBe(0);
    await until(() => inDatabase() === 1);
    expect(errors).toEqual([]);
  });
});
