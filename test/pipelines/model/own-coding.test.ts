import { describe, expect, it } from '@jest/globals';
import { isOwnCoding } from '../../../pipelines/model/index.ts';

/** Compressed files by the ends of their names, with what servers declare for them. */
const KINDS = [
  [
    ['gz', 'tgz', 'taz'],
    ['gzip', 'x-gzip'],
  ],
  [
    ['Z', 'tz'],
    ['compress', 'x-compress'],
  ],
  [
    ['bz', 'bz2', 'tbz', 'tbz2'],
    ['bzip', 'bzip2', 'x-bzip', 'x-bzip2'],
  ],
  [
    ['xz', 'txz'],
    ['xz', 'x-xz'],
  ],
  [
    ['lzma', 'tlz'],
    ['lzma', 'x-lzma'],
  ],
  [
    ['zst', 'tzst'],
    ['zstd', 'x-zstd'],
  ],
  [['br'], ['br']],
] as const;
const ENDS = KINDS.flatMap(([ends]) => ends);
const CODINGS = KINDS.flatMap(([, codings]) => codings);

describe('the compression of a file', () => {
  it.each(ENDS)('is that of its kind alone: .%s', (end) => {
    const [, own] = KINDS.find(([ends]) => (ends as readonly string[]).includes(end)) ?? [];
    for (const name of [`/a.${end}`, `/a.${end.toUpperCase()}`])
      for (const spelled of [(coding: string) => coding, (coding: string) => ` ${coding.toUpperCase()}\t`])
        expect(CODINGS.filter((coding) => isOwnCoding(name, spelled(coding)))).toEqual(own);
  });

  it.each(ENDS)('is not told by a part of a name: %s', (end) => {
    for (const name of [`/a.${end}.txt`, `/a-${end}`, `/${end}`])
      expect(CODINGS.filter((coding) => isOwnCoding(name, coding))).toEqual([]);
  });

  it.each(CODINGS)('is not told by a part of a coding: %s', (coding) => {
    for (const other of [`identity, ${coding}`, `${coding}, identity`, `y-${coding}`, `${coding}-y`])
      expect(ENDS.filter((end) => isOwnCoding(`/a.${end}`, other))).toEqual([]);
  });
});
