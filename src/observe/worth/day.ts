/** What was served below a prefix. */
export interface Sums {
  requests: number;
  /** Requests that failed. */
  failed: number;
  /** Requests that completed although a source had failed on the way. */
  rescued: number;
  /** Bytes that clients got. */
  served: number;
  /** Those of them that came from saved copies. */
  kept: number;
  /** Bytes that came from feeds and alternate sources of other machines. */
  fetched: number;
}

/** How a source answered. */
export interface SourceSums {
  attempts: number;
  failed: number;
}

/** How often a file was asked for. */
export interface FileSums {
  requests: number;
  bytes: number;
}

/** One day, in UTC. */
export interface Day {
  /** `2026-11-28` */
  readonly day: string;
  readonly prefixes: Record<string, Sums>;
  readonly sources: Record<string, SourceSums>;
  /** The files that were asked for most, as far as they were counted. */
  readonly files: Record<string, FileSums>;
}

export const noSums = (): Sums => ({ requests: 0, failed: 0, rescued: 0, served: 0, kept: 0, fetched: 0 });

export const emptyDay = (day: string): Day => ({ day, prefixes: {}, sources: {}, files: {} });

/** The name of the day of a time, in milliseconds since 1970. */
export const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);

/** Adds the numbers of one record to those of another, by their names. */
export const add = <T extends object>(sums: T, more: T): T => {
  for (const name of Object.keys(more) as (keyof T)[])
    sums[name] = ((sums[name] as number) + (more[name] as number)) as T[keyof T];
  return sums;
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A record of records that have the numbers of `zero`. Others are left out. */
const sumsBy = <T extends object>(value: unknown, zero: () => T): Record<string, T> => {
  const known: Record<string, T> = Object.create(null);
  for (const [name, one] of Object.entries(isRecord(value) ? value : {})) {
    const sums = zero();
    for (const key of Object.keys(sums) as (keyof T & string)[]) {
      const number = isRecord(one) ? one[key] : undefined;
      if (typeof number === 'number' && Number.isFinite(number)) sums[key] = number as T[typeof key];
    }
    known[name] = sums;
  }
  return known;
};

export const noSource = (): SourceSums => ({ attempts: 0, failed: 0 });
export const noFile = (): FileSums => ({ requests: 0, bytes: 0 });

/** A day as it was written. What is missing or of another shape counts as nothing. */
export const readDay = (day: string, value: unknown): Day => {
  const { prefixes, sources, files } = isRecord(value) ? value : {};
  return {
    day,
    prefixes: sumsBy(prefixes, noSums),
    sources: sumsBy(sources, noSource),
    files: sumsBy(files, noFile),
  };
};
