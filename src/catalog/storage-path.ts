import { createHash } from 'node:crypto';
import { sortedFields, type UnitKey } from '../repositories/unit.ts';

/**
 * The path at which Pulp stores a unit's file, and to which it redirects clients:
 * `{storage_dir}/content/units/{type}/{d[0:2]}/{d[2:]}/{file name}`. `d` is the SHA-256 of each
 * field's name and value, sorted by name.
 */
export const storagePath = (storageDir: string, typeId: string, key: UnitKey, fileName: string): string => {
  const digest = createHash('sha256');
  for (const [name, value] of sortedFields(key)) digest.update(`${name}${value}`);
  const hex = digest.digest('hex');
  return `${storageDir.replace(/\/+$/, '')}/content/units/${typeId}/${hex.slice(0, 2)}/${hex.slice(2)}/${fileName}`;
};
