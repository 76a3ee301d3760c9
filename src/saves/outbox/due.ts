import { Observable } from 'rxjs';
import type { PendingSaveRequest } from '../../../pipelines/model/index.ts';
import type { SavesTable } from './table.ts';

/** Milliseconds. Another process (the command line) may change rows: how often one looks again, whatever happens. */
const LOOK_AGAIN = 5_000;

interface DueOptions {
  readonly table: Pick<SavesTable, 'due' | 'nextDue' | 'get'>;
  /** Wishes that a subscriber may have in hand at once. */
  readonly window: number;
  /** What became of wishes and stands in memory only: the table does not know yet. */
  readonly unwritten: ReadonlyMap<number, unknown>;
  /** Asks for `look` to be called, before long. */
  readonly wake: () => void;
  readonly onError: (error: unknown) => void;
}

interface Watcher {
  /** Ids that it has in hand. */
  readonly out: Set<number>;
  look(): void;
}

/**
 * Hands out the table's wishes: `due` is the outbox's. `look` emits what is due and finds room, `settled` makes room.
 * The window is the only thing held in memory, so a million waiting wishes cost what a few hundred do.
 */
export const makeDue = ({ table, window, unwritten, wake, onError }: DueOptions) => {
  const watchers = new Set<Watcher>();

  const due = new Observable<PendingSaveRequest>((subscriber) => {
    const out = new Set<number>();
    let timer: NodeJS.Timeout | undefined;
    // In the background's service: nothing to keep a process alive for.
    const lookIn = (milliseconds: number) => {
      clearTimeout(timer);
      if (!subscriber.closed) timer = setTimeout(wake, Math.min(LOOK_AGAIN, milliseconds)).unref();
    };

    const look = () => {
      // Refilled in portions: one look for many settled ones.
      if (out.size > window / 2) return;
      lookIn(LOOK_AGAIN);
      const now = Date.now();
      const ids = table.due(now, window + unwritten.size).filter((id) => !out.has(id) && !unwritten.has(id));
      for (const id of ids.slice(0, window - out.size)) {
        if (subscriber.closed) return;
        const save = table.get(id);
        if (!save) continue;
        out.add(id);
        subscriber.next(save);
      }
      const next = table.nextDue(now);
      if (next !== undefined) lookIn(next - now);
    };

    const watcher = { out, look };
    watchers.add(watcher);
    wake();
    return () => {
      watchers.delete(watcher);
      clearTimeout(timer);
    };
  });

  return {
    due,
    look: () => {
      for (const watcher of watchers) {
        try {
          watcher.look();
        } catch (error) {
          onError(error);
        }
      }
    },
    settled: (id: number) => {
      for (const { out } of watchers) out.delete(id);
    },
  };
};
