import { trimBlanks } from './blanks.ts';

/**
 * Compressed files, by the ends of their names, and the codings that servers wrongly declare for
 * them.
 */
const OWN_CODINGS: readonly (readonly [name: RegExp, coding: RegExp])[] = [
  [/\.(gz|tgz|taz)$/i, /^(x-)?gzip$/i],
  [/\.(z|tz)$/i, /^(x-)?compress$/i],
  [/\.(bz2?|tbz2?)$/i, /^(x-)?bzip2?$/i],
  [/\.(xz|txz)$/i, /^(x-)?xz$/i],
  [/\.(lzma|tlz)$/i, /^(x-)?lzma$/i],
  [/\.(zst|tzst)$/i, /^(x-)?zstd$/i],
  [/\.br$/i, /^br$/i],
];

/**
 * Whether a content coding only repeats the file's own compression. Servers often declare it for
 * `.gz` files. A client or cache that unpacks such a file gets another file, or fails if it has
 * several members or is padded.
 */
export const isOwnCoding = (path: string, coding: string): boolean =>
  OWN_CODINGS.some(([name, own]) => name.test(path) && own.test(trimBlanks(coding)));
