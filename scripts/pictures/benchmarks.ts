import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Measured, median, type Result } from '../../bench/contest.ts';
import type { Results } from '../../bench/measure.ts';
import { digits, tableOf } from '../../bench/report.ts';
import { box, line, picture, text } from './svg.ts';

const root = join(import.meta.dirname, '../..');
const PAGE = 'docs/explanation/benchmarks.md';
const README = 'pipelines/operators/README.md';

interface Recorded {
  /** Of all scenarios that have none of their own. */
  readonly machine: string;
  readonly machines?: Readonly<Record<string, string>>;
  readonly scenarios: Results;
}

const {
  machine,
  machines = {},
  scenarios,
}: Recorded = JSON.parse(readFileSync(join(root, 'bench/results.json'), 'utf8'));

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

const withResults = (path: string, results: string): string => {
  const before = readFileSync(join(root, path), 'utf8');
  const marked = /(<!-- results -->\n)[\s\S]*(<!-- \/results -->)/;
  if (!marked.test(before)) throw new Error(`${path} has no place for results`);
  return before.replace(marked, (_, begin: string, end: string) => `${begin}${results}\n${end}`);
};

/** The page with the tables of the committed results. */
const page = (): string => {
  const tables = Object.entries(scenarios).flatMap(([name, measured]) => [
    ...(machines[name] === undefined ? [] : [machines[name]]),
    ...measured.map(tableOf),
  ]);
  return withResults(PAGE, ['```', [machine, ...tables].join('\n\n'), '```'].join('\n'));
};

/** The README of the operators, with a row for each way to stream values. */
const readme = (): string => {
  const [atOnce, slowly, memory] = scenarios.streams ?? [];
  if (!atOnce || !slowly || !memory) throw new Error('bench/results.json has no streams');
  const [least = Number.NaN] = atOnce.measured.map(costOf);
  const rows = atOnce.measured.map((one, index) => {
    const [slow, held] = [slowly.measured[index], memory.measured[index]];
    if (!slow || !held) throw new Error(`${one.name}: no slow consumer`);
    const cells = [
      one.name,
      `${digits(costOf(one))} ns`,
      digits(costOf(one) / least),
      slow.also,
      `${digits(costOf(held))} MiB`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const [host = ''] = (machines.streams ?? machine).split('\n');
  const heading = ['| | CPU time of a value | ratio | lead over a slow consumer | memory |', '|---|---|---|---|---|'];
  return withResults(
    README,
    [...heading, ...rows, '', `${host}. ${slowly.title.split(' ')[0]} slow values of 1 KiB.`].join('\n'),
  );
};

/**
 * What the committed results of `npm run bench -- --record` make: the chart, the tables of the page,
 * and those of the operators' README.
 */
export const benchmarks = (): ReadonlyMap<string, string> =>
  new Map([
    ['docs/pictures/benchmarks.svg', chart()],
    [PAGE, page()],
    [README, readme()],
  ]);
