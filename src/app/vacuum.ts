import { statSync } from 'node:fs';
import type { Settings } from '../config/schema.ts';
import { shrinkDatabase } from '../lib/database-file.ts';
import { PATIENCE } from './own-catalog.ts';

export interface Vacuumed {
  readonly file: string;
  /** Bytes. */
  readonly before: number;
  readonly after: number;
}

/**
 * Gives the space of what was removed from the embedded catalog back to the disk, while a daemon may
 * be reading it. Throws if the settings choose another catalog, and SQLite's errors.
 */
export const vacuumCatalog = ({ catalog: file, catalogType }: Settings): Vacuumed => {
  if (catalogType !== 'sqlite')
    throw new Error(
      `catalog_type is ${catalogType}: its database is MongoDB's, which uses free space again by itself, and returns it with its command compact`,
    );
  const before = sizeOf(file);
  shrinkDatabase(file, PATIENCE);
  return { file, before, after: sizeOf(file) };
};

const sizeOf = (file: string): number => statSync(file).size;
