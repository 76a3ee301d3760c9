import { type Location, type OpenSource, type SourceId, sourceName } from '../../../pipelines/model/index.ts';
import type { FinishedRequest } from '../../lib/finished-request.ts';
import { countBytes } from '../count-bytes.ts';

/** Sources that are remembered: those that were used last. */
const SOURCES = 64;
/** The weight of the newest first byte in their mean. */
const NEWEST = 0.2;

export interface SourceRate {
  readonly name: string;
  /** Bytes since it was first used. */
  bytes: number;
  /** A mean of late, in milliseconds from the attempt to the head. */
  firstByte?: number;
}

/** What came from each source. Kept always. */
export interface SourceRates {
  /** Counts the bytes of each source that is opened. */
  counting(open: OpenSource): OpenSource;
  finished(one: FinishedRequest): void;
  /** Bytes of all sources but the disks of this machine. */
  received(): number;
  /** The same by kind: `feed`, `alternate`, `metadata` of repositories, or another kind of source. */
  fetched(): Iterable<readonly [kind: string, bytes: number]>;
  list(): readonly SourceRate[];
}

/** The kind of what no client has asked for. */
const METADATA = 'metadata';

/** The source of a location. Metadata has none, since it is fetched for nobody. */
const sourceOf = (location: Location & { readonly source?: SourceId }): SourceId | undefined => location.source;

export const createSourceRates = (): SourceRates => {
  const known = new Map<string, SourceRate>();
  const total = { bytes: 0 };
  const kinds = new Map(['feed', 'alternate', METADATA].map((kind) => [kind, { bytes: 0 }]));
  const kindOf = (kind: string) => {
    const sum = kinds.get(kind) ?? { bytes: 0 };
    kinds.set(kind, sum);
    return sum;
  };

  const rateOf = (name: string): SourceRate => {
    const found = known.get(name);
    if (found) return found;
    const [oldest] = known.keys();
    if (known.size === SOURCES && oldest !== undefined) known.delete(oldest);
    const fresh = { name, bytes: 0 };
    known.set(name, fresh);
    return fresh;
  };

  return {
    counting: (open) => (location, ask) => {
      const source = sourceOf(location);
      const own = source && rateOf(sourceName(source));
      const sums = location.url.startsWith('file:') ? [] : [total, kindOf(source?.kind ?? METADATA)];
      return countBytes({ sums: own ? [own, ...sums] : sums })(open(location, ask));
    },
    finished: ({ report }) => {
      if (!report) return;
      let asked: { readonly at: number; readonly source: string } | undefined;
      for (const { at, what, detail } of report.timeline) {
        if (what === 'attempt') asked = { at, source: detail };
        if (what !== 'head' || !asked) continue;
        const own = known.get(asked.source);
        if (own) own.firstByte = (own.firstByte ?? at - asked.at) * (1 - NEWEST) + (at - asked.at) * NEWEST;
        return;
      }
    },
    received: () => total.bytes,
    fetched: () => [...kinds].map(([kind, { bytes }]) => [kind, bytes] as const),
    list: () => [...known.values()],
  };
};
