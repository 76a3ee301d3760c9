import { Long, ObjectId } from 'mongodb';
import type { ZodError } from 'zod';
import { BOUNDS, BoundExceeded } from '../../repositories/bounds.ts';

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

/**
 * Throws a BoundExceeded that names the field if a document is nested deeper than metadata may be, or has
 * longer texts or more fields: others may write into the database, and what they wrote is copied,
 * compared and shown later.
 */
export const checkBounds = (document: unknown): void => {
  const waiting: (readonly [value: unknown, name: string, depth: number])[] = [[document, '', 0]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [value, name, depth] = next;
    const exceeds = (bound: string): never => {
      throw new BoundExceeded(`${name || 'document'}: ${bound}`);
    };
    if (typeof value === 'string' && value.length > BOUNDS.text) exceeds(`more than ${BOUNDS.text} characters`);
    if (ArrayBuffer.isView(value) && value.byteLength > BOUNDS.text) exceeds(`more than ${BOUNDS.text} bytes`);
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) continue;
    if (depth >= BOUNDS.depth) exceeds(`more than ${BOUNDS.depth} nested values`);
    if (Object.keys(value).length > BOUNDS.fields) exceeds(`more than ${BOUNDS.fields} fields`);
    for (const [key, one] of Object.entries(value))
      waiting.push([one, name === '' ? key : `${name}.${key}`, depth + 1]);
  }
};

/** What is wrong with a document, field by field. */
export const faultsOf = ({ issues }: ZodError): string =>
  issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ');
