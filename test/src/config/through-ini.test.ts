import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Line, throughIni } from '../../../src/config/through-ini.ts';

/**
 * What `ini` gives a meaning of its own: comments, subsections, lists, types, quotes, escapes, ends
 * of lines.
 */
const HOSTILE = [
  '__proto__',
  'constructor',
  'true',
  'null',
  'a.b',
  'a\\.b',
  'a[]',
  '[a]',
  'a=b',
  '"a"',
  "'a'",
  ';a',
  '#a',
];
const PIECES = ['=', '[', ']', ';', '#', '.', '\\', '"', "'", '%', ' ', '\t', '\n', '\r', '\u2028', '\u2029', '\u0000'];
const text = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc
    .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 5 })
    .map((pieces) => pieces.join('')),
);
const line = fc.oneof(
  { weight: 1, arbitrary: fc.record({ section: text }) },
  { weight: 3, arbitrary: fc.record({ key: text, value: text }) },
);

/** What should come of it. */
const expected = (lines: readonly Line[]): Map<string, Map<string, string>> => {
  const sections = new Map<string, Map<string, string>>();
  let open: Map<string, string> | undefined;
  for (const one of lines)
    if ('section' in one) {
      open = sections.get(one.section) ?? new Map();
      sections.set(one.section, open);
    } else open?.set(one.key, one.value);
  return sections;
};

describe('what goes through the ini package', () => {
  it('comes back unchanged, whatever its names and values are', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        expect(throughIni(lines)).toEqual(expected(lines));
      }),
      { numRuns: 2000 },
    );
  });

  it('stays distinct if ini would confuse two names or values', () => {
    const lines = [{ section: 'a.b' }, { key: 'x', value: '1' }, { section: 'a\\.b' }, { key: 'x', value: '2' }];
    expect(throughIni(lines)).toEqual(expected(lines));
  });
});
