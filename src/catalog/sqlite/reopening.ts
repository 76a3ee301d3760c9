import { statSync } from 'node:fs';
import { isRefusedByDisk } from '../../lib/sqlite-errors.ts';
import { openSqliteCatalog, type SqliteCatalog } from './catalog.ts';
import { latestOf } from './latest-of.ts';
import type { TableOptions } from './tables.ts';

interface Reopening {
  /** Called if the disk refuses the catalog, which is then only read. Must not throw. */
  readonly onReadOnly: (error: unknown) => void;
  /** Called when the catalog can be written after that. Must not throw. */
  readonly onWritable: () => void;
}

/** Milliseconds between attempts to open a catalog that the disk refused. */
const AGAIN = 1_000;

/**
 * Opens the catalog. If its disk is full or read-only, the catalog is read as it is on disk, and
 * opened normally as soon as the disk permits it. Throws CATALOG_UNAVAILABLE if it cannot be read.
 */
export const openWhatDiskPermits = (
  file: string,
  options: TableOptions,
  { onReadOnly, onWritable }: Reopening,
): SqliteCatalog => {
  try {
    return openSqliteCatalog(file, options);
  } catch (error) {
    if (!isRefusedByDisk((error as Error).cause) || hasLog(file)) throw error;
    const catalog = reopened(file, options, onWritable);
    onReadOnly(error);
    return catalog;
  }
};

const reopened = (file: string, options: TableOptions, onWritable: () => void): SqliteCatalog => {
  let current = openSqliteCatalog(file, { ...options, immutable: true });
  const again = setInterval(() => {
    try {
      const next = openSqliteCatalog(file, options);
      current.close();
      current = next;
    } catch {
      // Still refused, which was reported: the next attempt follows.
      return;
    }
    clearInterval(again);
    onWritable();
  }, AGAIN).unref();
  return {
    ...latestOf(() => current),
    close: () => {
      clearInterval(again);
      current.close();
    },
  };
};

/** Without its log, a database that was not closed would be read half-written. */
const hasLog = (file: string): boolean => (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
