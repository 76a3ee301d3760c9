import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Measured, median, type Result } from '../../bench/contest.ts';
import type { Results } from '../../bench/measure.ts';
import { digits, tableOf } from '../../bench/report.ts';
import { box, line, picture, text } from './svg.ts';

const root = join(import.meta.dirname, '../..');
const PAGE = 'docs/explanation/benchmarks.md';

const { machine, scenarios }: { readonly machine: string; readonly scenarios: Results } = JSON.parse(
  readFileSync(join(root, 'bench/results.json'), 'utf8'),
);

const results = Object.values(scenarios).flat();

/** The comparisons in the chart, by the product’s row. */
const DRAWN = ['feed', 'https', 'disk', 'hit', 'small', 'saving', 'p50', 'slow', 'repository'];

const WIDTH = 820;
const NAMES = 400;
const ROW = 22;
const TITLE = 44;

const costOf = ({ costs }: Measured): number => median(costs);

/** One comparison: a bar for each contender, relative to the most expensive one. */
const comparison = ({ title, unit, measured }: Result, top: number): readonly string[] => {
  const most = Math.max(...measured.map(costOf));
  return [
    text(20, top + 26, `${title} (${unit})`, { size: 14, bold: true }),
    line(NAMES, top + TITLE, NAMES, top + TITLE + ROW * measured.length, 'muted', { 'stroke-width': 1 }),
    ...measured.flatMap((one, index) => {
      const y = top + TITLE + ROW * index + ROW / 2;
      const length = Math.max(2, (WIDTH - NAMES - 90) * (costOf(one) / most));
      return [
        text(NAMES - 12, y, one.name, { size: 13, anchor: 'end', ...(one.ours ? { bold: true } : { fill: 'muted' }) }),
        box(NAMES, y - 7, length, 14, one.ours ? 'f-water' : 'f-pool', { rx: 2 }),
        text(NAMES + length + 8, y, digits(costOf(one)), { size: 13 }),
      ];
    }),
  ];
};

const chart = (): string => {
  const drawn = DRAWN.flatMap((row) => results.filter(({ measured }) => measured.some(({ id }) => id === row)));
  let height = 8;
  const content = drawn.flatMap((result) => {
    const top = height;
    height += TITLE + ROW * result.measured.length;
    return comparison(result, top);
  });
  return picture(
    {
      width: WIDTH,
      height: height + 16,
      title: 'What relaying costs, compared with other programs',
      says: drawn
        .map(
          ({ title, unit, measured }) =>
            `${title}, in ${unit}: ${measured.map((one) => `${one.name} ${digits(costOf(one))}`).join(', ')}`,
        )
        .join('; '),
    },
    content,
  );
};

/** The page with the tables of the committed results. */
const page = (): string => {
  const before = readFileSync(join(root, PAGE), 'utf8');
  const tables = ['```', [machine, ...results.map(tableOf)].join('\n\n'), '```'].join('\n');
  const marked = /(<!-- results -->\n)[\s\S]*(<!-- \/results -->)/;
  if (!marked.test(before)) throw new Error(`${PAGE} has no place for results`);
  return before.replace(marked, (_, begin: string, end: string) => `${begin}${tables}\n${end}`);
};

/** What the committed results of `npm run bench -- --record` make: the chart, and the tables of the page. */
export const benchmarks = (): ReadonlyMap<string, string> =>
  new Map([
    ['docs/pictures/benchmarks.svg', chart()],
    [PAGE, page()],
  ]);
