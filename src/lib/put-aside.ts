import { existsSync, renameSync } from 'node:fs';

/** Files that SQLite makes next to a database, with the database's mode at that time. */
export const BESIDE = ['-wal', '-shm', '-journal'];

/**
 * Renames a damaged database and the files beside it, so that a new one can take its place. Nothing
 * is deleted. Returns the new name. It must not be open in this process.
 */
export const putAside = (file: string, now = new Date()): string => {
  const aside = `${file}.damaged-${now.toISOString().replaceAll(':', '-')}`;
  // The database itself last: until then, the next start finds it damaged again.
  for (const end of [...BESIDE, '']) if (existsSync(file + end)) renameSync(file + end, aside + end);
  return aside;
};
