import { describe, expect, it } from '@jest/globals';
import { faultOf, textOf } from './support/named-test.ts';

const PAGE = 'docs/explanation/threat-model.md';

/** The tests that a page links: their titles and files. */
const testsOf = (page: string): readonly (readonly [file: string, title: string])[] =>
  [...page.matchAll(/\[([^\]]+)\]\(\.\.\/\.\.\/(test\/[^)]+\.test\.ts)\)/g)].map(([, title = '', file = '']) => [
    file,
    title,
  ]);

/** Rows of tables whose last column is to name tests. */
const rowsOf = (page: string): readonly string[] => {
  const rows: string[] = [];
  let isShown = false;
  for (const line of page.split('\n')) {
    if (!line.startsWith('|')) isShown = false;
    else if (line.endsWith('| shown by |')) isShown = true;
    else if (isShown && !/^[|-]+$/.test(line)) rows.push(line);
  }
  return rows;
};

describe('the threat model', () => {
  it('names tests that exist and run, and one for each threat', () => {
    const page = textOf(PAGE);
    expect(rowsOf(page).length).toBeGreaterThan(30);
    expect(rowsOf(page).filter((row) => testsOf(row).length === 0)).toEqual([]);
    expect(testsOf(page).flatMap((test) => (faultOf(test) ? [[...test, faultOf(test)]] : []))).toEqual([]);
  });

  it('is found to name a test that does not exist, or none', () => {
    const row = '| a | b | [no such title](../../test/e2e/secrets.test.ts) |';
    const page = `| a | b | shown by |\n|---|---|---|\n${row}\n| c | d | nothing |\n`;
    expect(testsOf(page).map(faultOf)).toEqual(['no such test']);
    expect(rowsOf(page).map((one) => testsOf(one).length)).toEqual([1, 0]);
  });
});
