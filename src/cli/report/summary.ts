import {
  add,
  type Day,
  type FileSums,
  noFile,
  noSource,
  noSums,
  type SourceSums,
  type Sums,
} from '../../observe/worth/day.ts';

/** What the streamer was worth in some days. */
export interface Summary {
  /** The first and the last day. */
  readonly from: string;
  readonly to: string;
  readonly total: Sums;
  /** Bytes that clients got and that did not have to be fetched. */
  readonly saved: number;
  /** Every day, also those without requests. */
  readonly days: readonly { readonly day: string; readonly served: number; readonly fetched: number }[];
  /** Those that served most come first. */
  readonly prefixes: readonly (Sums & { readonly prefix: string })[];
  /** Those that were asked most come first. */
  readonly sources: readonly (SourceSums & { readonly source: string; readonly availability: number })[];
  readonly files: readonly (FileSums & { readonly path: string })[];
}

/** Rows of a table. */
const ROWS = 20;
const DAY = 86_400_000;

const sumBy = <T extends object>(
  days: readonly Day[],
  part: (day: Day) => Readonly<Record<string, T>>,
  zero: () => T,
): ReadonlyMap<string, T> => {
  const sums = new Map<string, T>();
  for (const day of days)
    for (const [name, one] of Object.entries(part(day))) sums.set(name, add(sums.get(name) ?? zero(), one));
  return sums;
};

/** `days`: how many, up to today. */
export const summaryOf = (known: readonly Day[], days: number, now: number): Summary => {
  const dates = Array.from({ length: days }, (_, index) =>
    new Date(now - (days - 1 - index) * DAY).toISOString().slice(0, 10),
  );
  const prefixes = sumBy(known, (day) => day.prefixes, noSums);
  const ofDay = new Map(
    known.map((one) => [one.day, Object.values(one.prefixes).reduce((sum, own) => add(sum, own), noSums())]),
  );
  const total = [...prefixes.values()].reduce((sum, own) => add(sum, own), noSums());
  return {
    from: dates[0] ?? '',
    to: dates.at(-1) ?? '',
    total,
    saved: savedOf(total),
    days: dates.map((day) => ({ day, served: ofDay.get(day)?.served ?? 0, fetched: ofDay.get(day)?.fetched ?? 0 })),
    prefixes: [...prefixes]
      .map(([prefix, sums]) => ({ prefix, ...sums }))
      .sort((a, b) => b.served - a.served)
      .slice(0, ROWS),
    sources: [...sumBy(known, (day) => day.sources, noSource)]
      .map(([source, sums]) => ({ source, ...sums, availability: 1 - sums.failed / Math.max(1, sums.attempts) }))
      .sort((a, b) => b.attempts - a.attempts)
      .slice(0, ROWS),
    files: [...sumBy(known, (day) => day.files, noFile)]
      .map(([path, sums]) => ({ path, ...sums }))
      .sort((a, b) => b.requests - a.requests || b.bytes - a.bytes)
      .slice(0, ROWS),
  };
};

/** More may be fetched than served: a client that leaves lets the copy be completed. */
export const savedOf = ({ served, fetched }: Pick<Sums, 'served' | 'fetched'>): number => Math.max(0, served - fetched);
