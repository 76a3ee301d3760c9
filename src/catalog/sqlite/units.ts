import type { DatabaseSync } from 'node:sqlite';
import { keyText, type UnitKey } from '../../repositories/unit.ts';
import { unitKeyIn } from '../json-column.ts';
import type { StoreUnits, Synchronous } from '../store.ts';

/** `units_<type>`. */
export type Units = Synchronous<StoreUnits>;

export const unitText = (key: UnitKey | undefined): string | null => (key === undefined ? null : keyText(key));

/**
 * Removes the units that no entry refers to. One statement; a trigger would be ten times as slow
 * for a million entries.
 */
export const dropOrphans = (database: DatabaseSync): void =>
  database.exec(
    `DELETE FROM units WHERE NOT EXISTS (SELECT 1 FROM lazy_content_catalog WHERE unit_id = units.id)
     AND NOT EXISTS (SELECT 1 FROM entries_before WHERE unit_id = units.id)`,
  );

export const makeUnits = (database: DatabaseSync): Units => {
  const byId = database.prepare('SELECT unit_key FROM units WHERE type_id = ? AND id = ?');
  return {
    find: (typeId, id) => {
      const text = byId.get(typeId, id)?.unit_key;
      return typeof text === 'string' ? unitKeyIn(text, `unit ${id}`) : undefined;
    },
  };
};
