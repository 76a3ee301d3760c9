import { putAside } from '../../lib/put-aside.ts';
import { isDamage } from '../../lib/sqlite-errors.ts';
import { messageOf } from '../../lib/thrown.ts';
import { openSavesTable, type SavesTable } from './table.ts';

/** Events of an outbox that outlives failures of its file. */
export interface Healing {
  /** Called with the name that a damaged file has now. Must not throw. */
  readonly onPutAside: (aside: string) => void;
  /** Called with the first success after an error of the disk or SQLite. Must not throw. */
  readonly onWorking: () => void;
}

interface HealingTable {
  /** Works with the table, and opens it first if it is not open. Throws SQLite's errors. */
  use<T>(work: (table: SavesTable) => T): T;
  close(): void;
}

/**
 * Opens the table. With `healing`, it is opened when it is used, so that a disk that refuses now may
 * permit it later; and a damaged file is put aside, a new one takes its place. What the damaged
 * file held is not delivered. Without it, throws if the file cannot be opened.
 */
export const openTable = (file: string, lockWait: number, healing: Healing | undefined): HealingTable => {
  let table: SavesTable | undefined;
  let failing = false;

  const open = () => {
    table ??= openSavesTable(file, lockWait);
    return table;
  };
  const close = () => {
    table?.close();
    table = undefined;
  };
  const healed = <T>(work: (table: SavesTable) => T): T => {
    try {
      return work(open());
    } catch (error) {
      if (!healing || !isDamage(error)) throw error;
      close();
      healing.onPutAside(putAside(file));
      return work(open());
    }
  };

  if (!healing)
    try {
      open();
    } catch (error) {
      throw outboxError(file, 'cannot be opened', error);
    }

  return {
    use: (work) => {
      try {
        const result = healed(work);
        if (failing) healing?.onWorking();
        failing = false;
        return result;
      } catch (error) {
        failing = true;
        throw error;
      }
    },
    close,
  };
};

export const outboxError = (file: string, doing: string, cause: unknown): Error =>
  new Error(`outbox ${file} ${doing}: ${messageOf(cause)}`, { cause });
