import { sayBytes } from '../../observe/live/model/format.ts';
import { oneLine } from '../one-line.ts';
import type { Summary } from './summary.ts';
import { share, type Table, tablesOf } from './tables.ts';

/** Columns side by side: the first one to the left, the others to the right. */
const linesOf = ({ head, rows }: Table): readonly string[] => {
  const all = [head, ...rows.map((row) => row.map(oneLine))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
};

/** A summary for a terminal. */
export const reportAsText = (summary: Summary): string => {
  const { from, to, total, saved } = summary;
  const { requests, failed, rescued, served, kept, fetched } = total;
  const lines = [
    `${from} to ${to}, days in UTC`,
    '',
    `clients got        ${sayBytes(served)} in ${requests} requests`,
    `came from feeds    ${sayBytes(fetched)}`,
    `saved on the line  ${sayBytes(saved)}, ${share(saved, served)}; from saved copies: ${sayBytes(kept)}`,
    `rescued            ${rescued} transfers whose source had failed`,
    `failed             ${failed} requests, ${share(failed, requests)}`,
    ...tablesOf(summary).flatMap((table) => ['', ...linesOf(table)]),
  ];
  return lines.map((line) => `${line}\n`).join('');
};
