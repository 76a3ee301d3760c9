import { isRecord } from '../lib/record.ts';
import { OddEntry } from '../repositories/odd-entry.ts';
import type { UnitKey } from '../repositories/unit.ts';

/** The object in a column of JSON. Throws an OddEntry that begins with `where` if it holds anything else. */
export const objectIn = (text: string, where: string): Readonly<Record<string, unknown>> => {
  const value = parsed(text);
  if (!isRecord(value)) throw new OddEntry(`${where}: expected an object in JSON, as this program writes it`);
  return value;
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no object either
  }
};

/** The same for the key of a unit. */
export const unitKeyIn = (text: string, where: string): UnitKey => {
  const key = objectIn(text, where);
  for (const [name, value] of Object.entries(key))
    if (typeof value !== 'string' && typeof value !== 'number')
      throw new OddEntry(`${where}: ${name}: expected a text or a number`);
  return key as UnitKey;
};
