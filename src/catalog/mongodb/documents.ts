import { Long, ObjectId } from 'mongodb';
import type { ZodError } from 'zod';

/** A value as a text, whatever it is: `String` would call a field named `toString`. */
export const textOf = (value: unknown): string => {
  if (value instanceof ObjectId) return value.toHexString();
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
};

/** The `_id` of a document as a text. */
export const idOf = ({ _id }: { readonly _id?: unknown }): string => textOf(_id);

/** Order of `_id`s, the newest first. */
export const newestFirst = (a: { readonly _id?: unknown }, b: { readonly _id?: unknown }): number => {
  const [one, other] = [idOf(a), idOf(b)];
  return one < other ? 1 : one > other ? -1 : 0;
};

/**
 * A whole number, however it was written: as an int, a long, a double, or a text. 0 for null, for
 * what is missing, and for anything else.
 */
export const wholeOf = (value: unknown): number => {
  const number = Long.isLong(value) ? value.toNumber() : typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? Math.trunc(number) : 0;
};

/** What is wrong with a document, field by field. */
export const faultsOf = ({ issues }: ZodError): string =>
  issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ');
