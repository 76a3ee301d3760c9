import { LAYOUT as CATALOG_LAYOUT } from '../../catalog/sqlite/schema.ts';
import type { Settings } from '../../config/schema.ts';
import { LAYOUT as OUTBOX_LAYOUT } from '../../saves/outbox/table.ts';
import { outboxFile } from '../state-folder.ts';

export type BackedUp = Pick<Settings, 'stateDir' | 'catalog' | 'catalogType' | 'saveDir'>;

/** A database that a backup holds. */
export interface BackedUpDatabase {
  /** In the backup. */
  readonly name: string;
  /** Where the settings have it. */
  readonly file: string;
  /** The newest layout that this version reads. */
  readonly layout: number;
}

/** The databases of a site. One in memory is not kept. */
export const databasesOf = ({ stateDir, catalog }: BackedUp): readonly BackedUpDatabase[] =>
  [
    { name: 'catalog.db', file: catalog, layout: CATALOG_LAYOUT },
    { name: 'outbox.db', file: outboxFile({ stateDir }), layout: OUTBOX_LAYOUT },
  ].filter(({ file }) => file !== ':memory:');

/** The folder of kept metadata in a backup. */
export const METADATA = 'metadata/';

/** What must be backed up in another way. */
export const leftOut = ({ catalogType }: BackedUp): string | undefined =>
  catalogType === 'sqlite'
    ? undefined
    : `${catalogType === 'shared' ? 'the shared catalog' : 'Pulp’s database'} is not part of it: back that up with mongodump (catalog_type is ${catalogType})`;
