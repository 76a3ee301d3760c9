import { setTimeout } from 'node:timers/promises';
import { SQLITE, sqliteCode } from '../../lib/sqlite-errors.ts';
import type { RefreshStore } from '../refresh-store.ts';
import type { Content } from './content.ts';
import type { Refreshes } from './refreshes.ts';

interface Parts {
  readonly content: Content;
  readonly refreshes: Refreshes;
}

/** Milliseconds between tries for the lock of another process, doubled up to the limit. */
const AGAIN = 50;
const AGAIN_LIMIT = 1_000;

/**
 * The embedded catalog as the store of refreshes. Each step is one synchronous transaction. If
 * another process is writing, a step is tried again later, without blocking this thread, until the
 * other one has finished.
 *
 * @param parts is read at each step: a catalog may be opened again
 * @param written is called after a write of about so many rows
 */
export const sqliteRefreshStore = (parts: Parts, written: (rows: number) => void = () => {}): RefreshStore => {
  const writing = async <T>(write: () => T, rows = 1): Promise<T> => {
    for (let wait = AGAIN; ; wait = Math.min(2 * wait, AGAIN_LIMIT)) {
      try {
        const result = write();
        written(typeof result === 'number' ? result : rows);
        return result;
      } catch (error) {
        if (sqliteCode(error) !== SQLITE.BUSY) throw error;
      }
      await setTimeout(wait, undefined, { ref: false });
    }
  };

  return {
    state: async (sourceId, now) => parts.refreshes.state(sourceId, now),
    count: async (sourceId, now) => parts.refreshes.count(sourceId, now),
    begin: (sourceId) => writing(() => parts.refreshes.begin(sourceId)),
    add: (_, offers) => writing(() => parts.content.add(offers), offers.length),
    finish: (refresh, cataloged) => writing(() => parts.refreshes.finish(refresh, cataloged)),
    abandon: (refresh, cataloged) => writing(() => parts.refreshes.abandon(refresh, cataloged)),
    putOff: (sourceId, nextTry) => writing(() => parts.refreshes.putOff(sourceId, nextTry)),
    retire: ({ sourceId, mark }, most, kept) => writing(() => parts.content.retire(sourceId, mark, most, kept)),
    purge: (now, most) => writing(() => parts.content.purge(now, most)),
    acquire: (sourceId, holder, now, until) => writing(() => parts.refreshes.acquire(sourceId, holder, now, until)),
    release: (sourceId, holder) => writing(() => parts.refreshes.release(sourceId, holder)),
  };
};
