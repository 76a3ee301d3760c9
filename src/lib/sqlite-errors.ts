import { codeOf } from './thrown.ts';

/** Result codes of SQLite (sqlite.org/rescode.html). */
export const SQLITE = { BUSY: 5, READONLY: 8, IOERR: 10, CORRUPT: 11, FULL: 13, CANTOPEN: 14, NOTADB: 26 } as const;

/** The primary result code of an error of `node:sqlite`; `undefined` for any other error. */
export const sqliteCode = (error: unknown): number | undefined => {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return Number(error.errcode) & 0xff;
};

/** Whether an error means that the content of a database is damaged, and not its disk or a lock. */
export const isDamage = (error: unknown): boolean => {
  const code = sqliteCode(error);
  return code === SQLITE.CORRUPT || code === SQLITE.NOTADB;
};

/** Whether an error means that a disk is full or read-only: SQLite cannot make its files either. */
export const isRefusedByDisk = (error: unknown): boolean =>
  ['EROFS', 'ENOSPC', 'EDQUOT'].includes(codeOf(error)) ||
  [SQLITE.READONLY, SQLITE.IOERR, SQLITE.FULL, SQLITE.CANTOPEN].some((one) => one === sqliteCode(error));
