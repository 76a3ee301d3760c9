import { describe, expect, it } from '@jest/globals';
import { EXPLAINED } from '../../scripts/mutate/explained.ts';
import { judge, type Report, tableOf } from '../../scripts/mutate/judge.ts';
import { textOf } from '../support/named-test.ts';

const SOURCE = 'const a = 1;\nconst b = a\n  > 0;\n';
const FILE = 'pipelines/stages/one.ts';
/** A mutant of `a > 0`, which is on two lines. */
const mutant = (status: string) => ({
  mutatorName: 'ConditionalExpression',
  replacement: 'true',
  status,
  location: { start: { line: 2, column: 11 }, end: { line: 3, column: 6 } },
});
const reportOf = (...statuses: readonly string[]): Report => ({
  files: { [FILE]: { source: SOURCE, mutants: statuses.map(mutant) } },
});
const killed = (count: number) => Array.from({ length: count }, () => 'Killed');
const WHY = { [FILE]: { 'const b = a ▸ a > 0 → true': 'it is always 1' } };

describe('the judge of mutants', () => {
  it('is content if all are killed, in whatever way', () =>
    expect(judge(reportOf('Killed', 'Timeout', 'RuntimeError'), {})).toEqual({
      files: [{ file: FILE, killed: 2, explained: 0, survived: 0 }],
      score: 100,
      faults: [],
    }));

  it.each(['Survived', 'NoCoverage'])('names one that nobody explains: %s', (status) =>
    expect(judge(reportOf(...killed(19), status), {})).toMatchObject({
      score: 95,
      faults: [`${FILE}:2: survived: const b = a ▸ a > 0 → true`],
    }),
  );

  it('accepts one that is explained', () =>
    expect(judge(reportOf(...killed(19), 'Survived'), WHY)).toMatchObject({ score: 95, faults: [] }));

  it('refuses an explanation of one that is killed', () =>
    expect(judge(reportOf(...killed(20)), WHY).faults).toEqual([
      `${FILE}: explained, but no survivor: const b = a ▸ a > 0 → true`,
    ]));

  it('refuses too many, explained or not', () =>
    expect(judge(reportOf(...killed(18), 'Survived'), WHY).faults).toEqual([
      '94.7 % of 19 mutants were killed; at least 95 % must be',
    ]));

  it('may be content with less', () =>
    expect(judge(reportOf('Killed', 'Survived'), WHY, 50)).toMatchObject({ score: 50, faults: [] }));

  it('refuses a run without mutants', () => expect(judge({ files: {} }, {}).faults).toHaveLength(1));

  it('adds up folders', () =>
    expect(
      tableOf(judge(reportOf(...killed(3), 'Survived'), WHY))
        .split('\n')
        .at(-1),
    ).toBe('| `pipelines/stages/` | 1 | 4 | 75.0 % | 1 | 0 |'));
});

describe('the explanations of mutants', () => {
  it('are of code that exists', () => {
    const gone = Object.entries(EXPLAINED).flatMap(([file, explained]) => {
      const code = textOf(file).replace(/\s+/g, ' ');
      return Object.keys(explained).filter((text) => !code.includes(text.split(' ▸ ')[0] ?? ''));
    });
    expect(gone).toEqual([]);
  });
});
