import { Observable } from 'rxjs';
import type { PendingSaveRequest } from '../../../pipelines/model/index.ts';
import type { SavesTable } from './table.ts';

/** Milliseconds between looks at the table: another process (the command line) may change rows. */
const LOOK_AGAIN = 5_000;

interface DueOptions {
  readonly table: { use<T>(work: (table: SavesTable) => T): T };
  /** The limit of save requests that a subscriber has at a time. */
  readonly window: number;
  /** Results that are still in memory and not yet in the table, by the id of the save request. */
  readonly unwritten: ReadonlyMap<number, unknown>;
  /** Requests a call of `look` soon. */
  readonly wake: () => void;
  /** Called with the id of a due row that this program did not write. */
  readonly onOdd: (id: number) => void;
  readonly onError: (error: unknown) => void;
}

interface Watcher {
  /** Ids of the save requests that the subscriber has. */
  readonly out: Set<number>;
  look(): void;
}

/**
 * Delivers the table's save requests. `due` is that of the outbox. `look` emits due save requests
 * while the window has room; `settled` frees room. Only the window is in memory, so a million
 * waiting save requests cost no more than a few hundred.
 */
export const makeDue = ({ table, window, unwritten, wake, onOdd, onError }: DueOptions) => {
  const watchers = new Set<Watcher>();

  const due = new Observable<PendingSaveRequest>((subscriber) => {
    const out = new Set<number>();
    let timer: NodeJS.Timeout | undefined;
    // Unreferenced: work in the background must not keep the process alive.
    const lookIn = (milliseconds: number) => {
      clearTimeout(timer);
      if (!subscriber.closed) timer = setTimeout(wake, Math.min(LOOK_AGAIN, milliseconds)).unref();
    };

    const look = () => {
      // Refilled in portions: one look for many settled save requests.
      if (out.size > window / 2) return;
      lookIn(LOOK_AGAIN);
      const now = Date.now();
      const ids = table
        .use(({ due }) => due(now, window + unwritten.size))
        .filter((id) => !out.has(id) && !unwritten.has(id));
      for (const id of ids.slice(0, window - out.size)) {
        if (subscriber.closed) return;
        const save = table.use(({ get }) => get(id));
        if (!save) continue;
        if (save === 'odd') {
          onOdd(id);
          continue;
        }
        out.add(id);
        subscriber.next(save);
      }
      const next = table.use(({ nextDue }) => nextDue(now));
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
