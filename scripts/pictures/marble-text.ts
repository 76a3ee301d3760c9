import type { Diagram, Mark } from '../../test/support/marble-diagram.ts';

export const columnsOf = ({ rows, scale = 1 }: Diagram): number =>
  Math.max(...rows.flatMap(({ from, left = 0, marks }) => [from, left, ...marks.map(({ at }) => at)])) / scale;

/** The marks of one instant, together. */
export type Instant = readonly [at: number, marks: readonly Mark[]];

export const instantsOf = (marks: readonly Mark[]): readonly Instant[] => [...Map.groupBy(marks, ({ at }) => at)];

/** The rows as text, as the test writes them, but with a common beginning. */
export const asText = (diagram: Diagram): string => {
  const { rows, scale = 1, note } = diagram;
  const last = columnsOf(diagram);
  const widest = Math.max(...rows.map(({ name }) => name.length));
  const lines = rows.map(({ name, from, left, marks }) => {
    let written = ' '.repeat(from / scale);
    for (const [at, here] of instantsOf(marks)) {
      const signs = here.map((mark) => ('end' in mark ? (mark.end === 'error' ? '#' : '|') : mark.label)).join('');
      if (left !== undefined && at > left) break;
      written = written.padEnd(at / scale, '-');
      written += signs.length > 1 ? `(${signs})` : signs;
    }
    if (left !== undefined) written = `${written.padEnd(left / scale, '-')}!`;
    if (!marks.some((mark) => 'end' in mark) && left === undefined) written = written.padEnd(last + 1, '-');
    return `${name.padEnd(widest)}  ${written}`;
  });
  const legend = [
    note,
    ...(rows.some(({ isValve }) => isValve) ? ['o open, x closed'] : []),
    ...(rows.some(({ left }) => left !== undefined) ? ['! left'] : []),
  ];
  return [...lines, `(${legend.join('; ')})`].join('\n');
};
