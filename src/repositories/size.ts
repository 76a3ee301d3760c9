import { OddEntry } from './odd-entry.ts';

/** Reads a size as metadata states it; throws an OddEntry if it cannot be a number of bytes. */
export const toSize = (text: string | undefined, where: string): number | undefined => {
  if (text === undefined || text === '') return undefined;
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw new OddEntry(`${where}: size '${text.slice(0, 40)}' is not a number of bytes`);
  return Number(text);
};
