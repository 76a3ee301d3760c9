import type { Diagram, DrawnRow, Mark } from '../../test/support/marble-diagram.ts';
import { columnsOf, type Instant, instantsOf } from './marble-text.ts';
import { arrow, box, circle, cross, group, line, picture, text, tintOf } from './svg.ts';

const WIDTH = 640;
const [LABELS, RIGHT] = [124, 606];
const [ROW, BAND, TOP] = [46, 40, 24];
const RADIUS = 13;
const LETTER = 10;

const labelOf = (mark: Mark): string => ('label' in mark ? mark.label : '');

/**
 * The call of the operator, with its inputs above and its results below. The same value has the same
 * colour everywhere.
 */
export const drawn = (diagram: Diagram, says: string): string => {
  const { operator, note, rows, scale = 1, measured } = diagram;
  const columns = columnsOf(diagram) + 1;
  const cell = Math.min(40, (RIGHT - 30 - LABELS) / columns);
  const x = (at: number): number => LABELS + 16 + (at / scale) * cell;
  const seen = [
    ...new Set(
      rows.filter(({ isValve }) => !isValve).flatMap(({ marks }) => marks.map(labelOf).flatMap((label) => [...label])),
    ),
  ];

  const startOf = (...[at, marks]: Instant): number => x(at) - (marks.some((mark) => 'label' in mark) ? RADIUS : 0);
  const endOf = (...[at, marks]: Instant): number => x(at) + RADIUS + (marks.map(labelOf).join('').length - 1) * LETTER;

  const value = (at: number, y: number, label: string): string => {
    const width = 2 * RADIUS + (label.length - 1) * LETTER;
    const letters = [...label].map((letter, index) =>
      text(x(at) + index * LETTER, y, letter, { size: 15, anchor: 'middle' }),
    );
    const tint = tintOf(seen.indexOf(label.charAt(0)));
    return (
      box(x(at) - RADIUS, y - RADIUS, width, 2 * RADIUS, tint, { rx: RADIUS, 'stroke-width': 1.5 }) + letters.join('')
    );
  };

  const instant = (y: number, at: number, marks: readonly Mark[]): string => {
    const label = marks.map(labelOf).join('');
    const end = marks.find((mark) => 'end' in mark);
    const after = x(at) + (label === '' ? 0 : RADIUS + 11 + (label.length - 1) * LETTER);
    return [
      label === '' ? '' : value(at, y, label),
      end && 'end' in end
        ? end.end === 'error'
          ? cross(after, y, 8)
          : line(after, y - 13, after, y + 13, 'ink', { 'stroke-width': 2.5 })
        : '',
    ].join('');
  };

  const flow = (row: DrawnRow, y: number): string => {
    const over = row.marks.find((mark) => 'end' in mark);
    const until = row.left ?? over?.at;
    const isPast = (at: number) => row.left !== undefined && at > row.left;
    const instants = instantsOf(row.marks);
    const last = Math.max(...row.marks.map(({ at }) => at));
    for (const [index, [at, marks]] of instants.slice(1).entries())
      if (startOf(at, marks) < endOf(...(instants[index] as Instant)))
        throw new Error(`${operator}: values of ${row.name} overlap at ${at} in its picture`);
    return [
      until === undefined ? arrow(x(row.from), y, RIGHT, y) : line(x(row.from), y, x(until), y),
      row.left !== undefined && last > row.left
        ? line(x(row.left) + 6, y, x(last), y, 'muted', { class: 'dash ghost' })
        : '',
      row.from > 0 ? circle(x(row.from), y, 3, 'f-muted') : '',
      row.left === undefined
        ? ''
        : line(x(row.left) - 5, y + 11, x(row.left) + 5, y - 11, 'ink', { 'stroke-width': 2 }),
      ...instants.filter(([at]) => !isPast(at)).map(([at, marks]) => instant(y, at, marks)),
      ...instants.filter(([at]) => isPast(at)).map(([at]) => circle(x(at), y, RADIUS, 'f-card')),
      group(
        'ghost',
        instants.filter(([at]) => isPast(at)).map(([at, marks]) => instant(y, at, marks)),
      ),
    ].join('');
  };

  const valve = (row: DrawnRow, y: number): string => {
    const states: { at: number; open: boolean }[] = [{ at: row.from, open: true }];
    for (const { at, ...mark } of row.marks) {
      if (states.at(-1)?.at === at) states.pop();
      states.push({ at, open: labelOf({ at, ...mark }) !== 'x' });
    }
    return states
      .map(({ at, open }, index) => {
        const [from, to] = [x(at), index + 1 < states.length ? x(states[index + 1]?.at ?? at) : RIGHT];
        const pipe = box(from + 1, y - 11, to - from - 2, 22, open ? 'f-pool s-water' : 'none s-muted', {
          rx: 5,
          'stroke-dasharray': open ? undefined : '3 4',
        });
        const word = open ? 'open' : 'closed';
        const fits = to - from > 54;
        return (
          pipe +
          (fits ? text((from + to) / 2, y, word, { size: 13, fill: open ? 'ink' : 'muted', anchor: 'middle' }) : '')
        );
      })
      .join('');
  };

  const rowAt = (row: DrawnRow, y: number): string =>
    text(20, y, row.name, { fill: row.kind === 'result' ? 'ink' : 'muted', bold: row.kind === 'result' }) +
    (row.isValve ? valve(row, y) : flow(row, y));

  const [inputs, results] = [
    rows.filter(({ kind }) => kind !== 'result'),
    rows.filter(({ kind }) => kind === 'result'),
  ];
  const band = TOP + inputs.length * ROW + 4;
  const below = band + BAND + 8;
  const end = below + results.length * ROW;
  const measure = (measured ?? []).slice(1).flatMap((to, index) => {
    const from = measured?.[index] ?? 0;
    const y = end + 12;
    return [
      arrow((x(from) + x(to)) / 2, y, x(from) + 2, y, 'muted', 1),
      arrow((x(from) + x(to)) / 2, y, x(to) - 2, y, 'muted', 1),
      text((x(from) + x(to)) / 2, y + 15, `${to - from} ms`, { size: 13, fill: 'muted', anchor: 'middle' }),
    ];
  });
  const guides = (measured ?? []).map((at) =>
    line(x(at), TOP - 8, x(at), end + 18, 'edge', { class: 'dash', 'stroke-width': 1 }),
  );
  const height = end + (measured ? 46 : 12);

  return picture({ width: WIDTH, height, title: operator, says }, [
    ...guides,
    ...inputs.map((row, index) => rowAt(row, TOP + index * ROW + ROW / 2 - 4)),
    box(20, band, WIDTH - 40, BAND - 6, 'f-panel s-edge'),
    text(34, band + 17, operator, { mono: true, bold: true }),
    text(WIDTH - 34, band + 17, note, { size: 14, fill: 'muted', anchor: 'end' }),
    ...results.map((row, index) => rowAt(row, below + index * ROW + ROW / 2 - 4)),
    ...measure,
  ]);
};
