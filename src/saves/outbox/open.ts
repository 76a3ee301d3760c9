import type { Outbox } from '../../../pipelines/model/index.ts';
import { messageOf } from '../../lib/thrown.ts';
import { makeDue } from './due.ts';
import { makeDurable } from './sync.ts';
import { type Change, type Depth, type NewSave, openSavesTable, type WaitingSave } from './table.ts';

interface OutboxOptions {
  /** Told what the disk or SQLite refused; it is tried again. Must not throw. */
  readonly onError: (error: Error) => void;
  /** Wishes that a subscriber of `due` may have in hand at once; so many are held in memory for it. */
  readonly window?: number;
  /** Wishes that are held in memory while the disk refuses them; what comes beyond is refused and told. */
  readonly heldLimit?: number;
  /** Milliseconds to wait, with everything else, for another process that writes. */
  readonly lockWait?: number;
}

export interface DurableOutbox extends Outbox {
  /** Writes at once what waits to be written; false where the disk refuses it (told to `onError`, tried again). */
  flush(): boolean;
  /** How many wishes wait, and for how long. Throws what SQLite says. */
  depth(): Depth;
  /** Every wish that waits, in the order in which they came; read while iterating. Throws what SQLite says, as do `retry` and `drop`. */
  list(): Iterable<WaitingSave>;
  /** Makes a wish, or all of them, due now; returns how many had been put off. */
  retry(id: number | 'all'): number;
  /** Forgets a wish, or all of them; returns how many. */
  drop(id: number | 'all'): number;
  /** Writes what waits, then closes the file; nothing is noted or emitted any more. */
  close(): void;
}

/** Milliseconds after a failed write, doubled up to the limit. */
const WRITE_AGAIN = 250;
const WRITE_AGAIN_LIMIT = 30_000;

/**
 * The outbox that outlives crashes: one SQLite file, made on first use, of one daemon (and the command line beside it).
 *
 * `append` has written the wish when it returns: to the system's memory, which `kill -9` leaves alone, not to the disk, which follows within
 * about a second, on another thread: that second is what a power cut may take. A disk that refuses (full, read-only) is told to `onError` and
 * asked again, 250 ms later, then twice as long, up to 30 s; meanwhile wishes are held in memory, where `kill -9` takes them.
 * What `remove` and `putOff` note is written at the end of the same turn of the event loop: what was delivered but not yet written so is
 * delivered again.
 *
 * `due` emits at most `window` wishes that are neither removed nor put off; further ones follow as those are settled. Each
 * subscription begins anew with everything that waits. It never completes and never errors; unsubscribing stops its timer.
 *
 * Throws where the file cannot be opened.
 */
export const openOutbox = (
  file: string,
  { onError, window = 256, heldLimit = 100_000, lockWait = 20 }: OutboxOptions,
): DurableOutbox => {
  const wishes = new Map<string, NewSave>();
  const changes = new Map<number, Change>();
  let turn: NodeJS.Immediate | undefined;
  let again: NodeJS.Timeout | undefined;
  let wait = WRITE_AGAIN;
  let closed = false;

  const table = naming(file, () => openSavesTable(file, lockWait));
  const durable = makeDurable(file, { onError: (error) => tell('cannot be synced', error) });
  const tell = (doing: string, cause: unknown) => onError(outboxError(file, doing, cause));

  /** While the disk refuses, the next try waits for its time: requests that go on do not hammer it. */
  const write = () => {
    if (again || flush()) return;
    again = setTimeout(() => {
      again = undefined;
      work();
    }, wait).unref();
    wait = Math.min(WRITE_AGAIN_LIMIT, 2 * wait);
  };
  const work = () => {
    turn = undefined;
    write();
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
    onError: (error) => tell('cannot be read', error),
  });

  const flush = (): boolean => {
    const rows = wishes.size + changes.size;
    if (rows === 0) return true;
    try {
      table.write(changes, wishes.values());
    } catch (error) {
      tell(`cannot be written (${wishes.size} wishes wait in memory)`, error);
      return false;
    }
    wishes.clear();
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
    append: ({ requestId, traceparent, entry }) => {
      const key = JSON.stringify([entry.unitId, entry.path]);
      if (wishes.has(key)) return;
      try {
        if (closed) throw new Error('it is closed');
        if (wishes.size >= heldLimit) throw new Error(`${wishes.size} wishes wait in memory already`);
        // Made text here, so that an entry that is no JSON spoils its own wish and not those written with it.
        const text = JSON.stringify(entry);
        wishes.set(key, {
          requestId,
          traceparent,
          unitId: entry.unitId,
          path: entry.path,
          entry: text,
          notedAt: Date.now(),
        });
        write();
        soon();
      } catch (error) {
        tell(`cannot take the wish to save ${entry.path}`, error);
      }
    },
    due: handing.due,
    remove: ({ id }) => settle(id, 'remove'),
    putOff: ({ id }, delay, reason) => settle(id, { dueAt: Date.now() + Math.ceil(delay), reason }),

    flush,
    depth: () => {
      flush();
      return table.depth(Date.now());
    },
    list: () => {
      flush();
      return table.list(Date.now());
    },
    retry: (id) => {
      flush();
      const count = table.retry(id === 'all' ? undefined : id, Date.now());
      soon();
      return count;
    },
    drop: (id) => {
      flush();
      return table.drop(id === 'all' ? undefined : id);
    },
    close: () => {
      if (closed) return;
      flush();
      closed = true;
      clearImmediate(turn);
      clearTimeout(again);
      durable.close();
      table.close();
    },
  };
};

const outboxError = (file: string, doing: string, cause: unknown): Error =>
  new Error(`outbox ${file} ${doing}: ${messageOf(cause)}`, { cause });

const naming = <T>(file: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw outboxError(file, 'cannot be opened', error);
  }
};
