import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { openCatalog } from '../../../src/app/catalog.ts';
import { settingsOf } from '../../../src/app/from-settings.ts';
import { stores } from '../../support/stores.ts';

const { newFolder } = stores();

/** Milliseconds that each connection waits for a lock, in the order in which they said so. */
const patience = (exec: jest.Spied<DatabaseSync['exec']>): readonly number[] =>
  exec.mock.calls.flatMap(([sql]) =>
    [...sql.matchAll(/PRAGMA busy_timeout = (\d+)/g)].map((match) => Number(match[1])),
  );

describe('the catalog of the thread that serves', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  // SQLite waits by blocking the thread: every client would wait for the lock of another process.
  it('waits for the lock of another process for milliseconds, and tries again later', async () => {
    const exec = jest.spyOn(DatabaseSync.prototype, 'exec');
    const settings = settingsOf({ stateDir: newFolder() });
    const { store, close } = await openCatalog(settings);
    expect(patience(exec).length).toBeGreaterThan(0);
    expect(Math.max(...patience(exec))).toBeLessThanOrEqual(20);

    const refresh = await store.begin('some source', 0);
    using other = new DatabaseSync(settings.catalog);
    other.exec('BEGIN IMMEDIATE');
    const attempts = () => exec.mock.calls.filter(([sql]) => sql === 'BEGIN IMMEDIATE').length;
    const before = attempts();
    const finished = store.finish(refresh, { fingerprint: 'of a version', paths: [] });
    // The lock is held until two attempts were in vain, and the thread was free in between.
    while (attempts() < before + 2) await setImmediate();
    other.exec('ROLLBACK');
    expect(await finished).toBe(true);
    await close();
  });
});
