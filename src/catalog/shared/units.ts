import type { UnitKey } from '../../repositories/unit.ts';
import { unitKeyIn } from '../json-column.ts';
import type { Collections } from './database.ts';
import type { View } from './view.ts';

/** A unit's key, if an entry that counts states it. */
export const findUnitKey = async (
  { entries, before }: Collections,
  view: View,
  typeId: string,
  unitId: string,
): Promise<UnitKey | undefined> => {
  const found = await entries.find({ unit_id: unitId, unit_type_id: typeId }).toArray();
  const text =
    found.find((one) => one.unit_key !== undefined && view.counts(one))?.unit_key ??
    (await before.findOne({ unit_id: unitId, unit_type_id: typeId, unit_key: { $exists: true } }))?.unit_key;
  return text === undefined ? undefined : unitKeyIn(text, `unit ${unitId}`);
};
