import { trimSlashes } from '../lib/trim-slashes.ts';

/** A prefix without trailing slashes; `/` becomes empty. */
export const trimPrefix = (prefix: string): string => trimSlashes(prefix);

/** Paths below a prefix, as a range of the index on paths: `0` is the character after `/`. */
export const rangeBelow = (prefix: string): [from: string, before: string] => [
  `${trimPrefix(prefix)}/`,
  `${trimPrefix(prefix)}0`,
];
