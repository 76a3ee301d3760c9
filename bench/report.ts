import { median, type Ratio, type Result, ratioOf } from './contest.ts';

/** A change from which on a ratio counts as lost or gained. */
const LEEWAY = 0.03;

/** Three digits that mean something. */
export const digits = (value: number): string =>
  value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1))));

/** A result as text: median, least and greatest cost, and the ratio to the first contender. */
export const tableOf = ({ title, unit, measured }: Result): string => {
  const [first] = measured;
  const row = (cells: readonly string[], name: string) => `${cells.map((cell) => cell.padStart(9)).join('')}  ${name}`;
  const lines = measured.map((one) => {
    const { costs, name, also } = one;
    const cost = [median(costs), Math.min(...costs), Math.max(...costs)].map(digits);
    const ratio = first ? ratioOf(one, first).median.toFixed(2) : '';
    return row([...cost, ratio], also === undefined ? name : `${name}; ${also}`);
  });
  return [`${title} (${unit})`, row(['median', 'min', 'max', 'ratio'], ''), ...lines].join('\n').replace(/ +$/gm, '');
};

/** Each committed ratio beside the one just measured, and whether it is lost or gained. */
export const comparisonOf = (
  committed: Readonly<Record<string, number>>,
  now: Readonly<Record<string, Ratio>>,
): string => {
  const lines = Object.entries(committed).flatMap(([name, before]) => {
    const ratio = now[name];
    if (!ratio) return [`${' '.repeat(36)}  not measured  ${name}`];
    const change = ratio.median / before - 1;
    const inside = ratio.min <= before && before <= ratio.max;
    const verdict = Math.abs(change) <= LEEWAY ? '' : change > 0 ? 'LOST' : 'gained';
    const doubt = verdict !== '' && inside ? ', but the rounds include the committed one' : '';
    const cells = [before.toFixed(2), ratio.median.toFixed(2), `${(100 * change).toFixed(0)} %`];
    return [`${cells.map((cell) => cell.padStart(9)).join('')}  ${verdict.padEnd(7)}${name}${doubt}`];
  });
  const heading = ['committed', 'now', 'change'].map((cell) => cell.padStart(9)).join('');
  return [heading, ...lines].join('\n');
};
