import { Observable, type Subscriber } from 'rxjs';
import type { Outbox } from '../../../pipelines/model/index.ts';
import { ShortLivedMap } from '../../../pipelines/operators/short-lived-map.ts';
import { makeDue } from './due.ts';
import { type Healing, openTable, outboxError } from './healing.ts';
import { makeDurable } from './sync.ts';
import type { Change, Depth, NewSave, WaitingSave } from './table.ts';

interface OutboxOptions {
  /** Called with each error of the disk or SQLite; the operation is retried. Must not throw. */
  readonly onError: (error: Error) => void;
  /** The limit of save requests that a subscriber of `due` has at a time, all in memory. */
  readonly window?: number;
  /** The limit of save requests in memory while the disk fails. Others are refused and reported. */
  readonly heldLimit?: number;
  /** Milliseconds to wait for the lock of another process; the event loop waits too. */
  readonly lockWait?: number;
  /**
   * Opens the file when the disk permits, and puts a damaged one aside for a new one. Without it, a
   * file that cannot be opened is thrown, and a damaged one stays.
   */
  readonly healing?: Healing;
}

export interface DurableOutbox extends Outbox {
  /**
   * Completes once all appended save requests are written: those of one turn of the event loop
   * together, at its end. Completes as early if the disk fails. Never emits, never errors;
   * unsubscribing only stops waiting.
   */
  readonly written: Observable<never>;
  /**
   * Writes pending changes at once. Returns `false` if the disk fails: this is reported to
   * `onError` and retried.
   */
  flush(): boolean;
  /** The number of waiting save requests and the age of the oldest. Throws SQLite's errors. */
  depth(): Depth;
  /**
   * All waiting save requests in the order of arrival, read during iteration. Throws SQLite's
   * errors, as do `retry` and `drop`.
   */
  list(): Iterable<WaitingSave>;
  /** Makes one save request, or all, due now. Returns the number that had been postponed. */
  retry(id: number | 'all'): number;
  /** Deletes one save request, or all. Returns their number. */
  drop(id: number | 'all'): number;
  /** Writes pending changes and closes the file. After that, nothing is appended or emitted. */
  close(): void;
}

/** Milliseconds after a failed write, doubled up to the limit. */
const WRITE_AGAIN = 250;
const WRITE_AGAIN_LIMIT = 30_000;

/**
 * The outbox that survives crashes: one SQLite file, created on first use, for one daemon and the
 * command line.
 *
 * Save requests and the changes of `remove` and `putOff` are written to the system's memory at the
 * end of the turn of the event loop, in one transaction. What `written` has waited for survives
 * `kill -9`. Another thread syncs it to the disk within about a second, so a power cut can lose the
 * last second. If the disk fails (full, read-only), this is reported to `onError`. The write is
 * retried after 250 ms, then after twice as long, up to 30 s. Until then save requests are in
 * memory only, and `kill -9` loses them. If the process dies before a removal is written, a
 * delivered save request is delivered again.
 *
 * `due` emits at most `window` save requests that are neither removed nor postponed. More follow as
 * those are settled. Each subscription starts with all waiting save requests. It never completes
 * and never errors; unsubscribing stops its timer.
 *
 * Throws if the file cannot be opened, unless it heals.
 */
export const openOutbox = (
  file: string,
  { onError, window = 256, heldLimit = 100_000, lockWait = 20, healing }: OutboxOptions,
): DurableOutbox => {
  const newSaves = new ShortLivedMap<string, NewSave>();
  const changes = new Map<number, Change>();
  let turn: NodeJS.Immediate | undefined;
  let again: NodeJS.Timeout | undefined;
  let wait = WRITE_AGAIN;
  const waiting: Subscriber<never>[] = [];
  let closed = false;

  const table = openTable(file, lockWait, healing);
  const durable = makeDurable(file, { onError: (error) => tell('cannot be synced', error) });
  const tell = (doing: string, cause: unknown) => onError(outboxError(file, doing, cause));

  try {
    table.use(() => {});
  } catch (error) {
    tell('cannot be opened', error);
  }

  /** While the disk fails, the next attempt waits for its time, however many requests arrive. */
  const write = () => {
    if (again || flush()) return;
    again = setTimeout(() => {
      again = undefined;
      work();
    }, wait).unref();
    wait = Math.min(WRITE_AGAIN_LIMIT, 2 * wait);
  };
  const release = () => {
    for (const one of waiting.splice(0)) one.complete();
  };
  const work = () => {
    turn = undefined;
    write();
    release();
    handing.look();
  };
  const soon = () => {
    if (!closed) turn ??= setImmediate(work);
  };

  const handing = makeDue({
    table,
    window,
    unwritten: changes,
    wake: soon,
    onOdd: (id) => {
      settle(id, 'remove');
      tell(`has a row (${id}) that another program wrote, and removes it`, new Error('it has no catalog entry'));
    },
    onError: (error) => tell('cannot be read', error),
  });

  const flush = (): boolean => {
    const rows = newSaves.size + changes.size;
    if (rows === 0) return true;
    try {
      table.use((open) => open.write(changes, newSaves.values()));
    } catch (error) {
      tell(`cannot be written (save requests in memory: ${newSaves.size})`, error);
      return false;
    }
    newSaves.clear();
    changes.clear();
    wait = WRITE_AGAIN;
    durable.soon(rows);
    return true;
  };

  const settle = (id: number, change: Change) => {
    if (closed) return;
    changes.set(id, change);
    handing.settled(id);
    soon();
  };

  return {
    append: ({ requestId, traceparent, tracestate, entry }) => {
      const key = JSON.stringify([entry.unitId, entry.path]);
      if (newSaves.has(key)) return;
      try {
        if (closed) throw new Error('the outbox is closed');
        if (newSaves.size >= heldLimit) throw new Error(`too many save requests in memory (limit ${heldLimit})`);
        // Serialized here, so that an entry that is not JSON affects only its own save request.
        const text = JSON.stringify(entry);
        newSaves.set(key, {
          requestId,
          traceparent,
          tracestate,
          unitId: entry.unitId,
          path: entry.path,
          entry: text,
          appendedAt: Date.now(),
        });
        soon();
      } catch (error) {
        tell(`cannot accept the save request for ${entry.path}`, error);
      }
    },
    written: new Observable((subscriber) => {
      if (turn && newSaves.size > 0) waiting.push(subscriber);
      else subscriber.complete();
    }),
    due: handing.due,
    remove: ({ id }) => settle(id, 'remove'),
    putOff: ({ id }, delay, reason) => settle(id, { dueAt: Date.now() + Math.ceil(delay), reason }),

    flush,
    depth: () => {
      flush();
      return table.use((open) => open.depth(Date.now()));
    },
    list: () => {
      flush();
      return table.use((open) => open.list(Date.now()));
    },
    retry: (id) => {
      flush();
      const count = table.use((open) => open.retry(id === 'all' ? undefined : id, Date.now()));
      soon();
      return count;
    },
    drop: (id) => {
      flush();
      return table.use((open) => open.drop(id === 'all' ? undefined : id));
    },
    close: () => {
      if (closed) return;
      flush();
      closed = true;
      clearImmediate(turn);
      clearTimeout(again);
      durable.close();
      table.close();
      release();
    },
  };
};
