import { sayBytes } from '../../observe/live/model/format.ts';
import { type Summary, savedOf } from './summary.ts';

/** A part of a whole, in percent. */
export const share = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The tables of a report, as text and as a page. */
export const tablesOf = ({ prefixes, sources, files }: Summary): readonly Table[] => [
  {
    title: 'By prefix',
    head: ['prefix', 'requests', 'served', 'fetched', 'saved'],
    rows: prefixes.map((one) => [
      one.prefix,
      String(one.requests),
      sayBytes(one.served),
      sayBytes(one.fetched),
      share(savedOf(one), one.served),
    ]),
  },
  {
    title: 'Sources',
    head: ['source', 'attempts', 'failed', 'available'],
    rows: sources.map((one) => [
      one.source,
      String(one.attempts),
      String(one.failed),
      share(one.attempts - one.failed, one.attempts),
    ]),
  },
  {
    title: 'Asked for most',
    head: ['file', 'requests', 'bytes'],
    rows: files.map((one) => [one.path, String(one.requests), sayBytes(one.bytes)]),
  },
];
