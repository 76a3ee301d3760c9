import { OddEntry } from './odd-entry.ts';
import { toSize } from './size.ts';

export interface DigestLine {
  readonly digest: string;
  readonly size: number;
  readonly name: string;
}

/** Parses a line `DIGEST SIZE NAME` of a field, as Debian's files have them; throws an OddEntry. */
export const parseDigestLine = (line: string, where: string): DigestLine => {
  const [, digest, bytes, name] = /^(\S+)\s+(\S+)\s+(\S.*)$/.exec(line) ?? [];
  const size = toSize(bytes, where);
  if (!digest || !name || size === undefined)
    throw new OddEntry(`${where}: '${line.slice(0, 120)}', expected DIGEST SIZE NAME`);
  return { digest, size, name };
};
