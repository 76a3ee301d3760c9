import { type Location, type SourceId, sourceName } from '../../../pipelines/model/index.ts';
import type { FinishedRequest } from '../../lib/finished-request.ts';
import type { ByteCounter, Sum } from '../count-bytes.ts';

/** Sources that are remembered: those that were used last. */
const SOURCES = 64;
/** The weight of the newest first byte in their mean. */
const NEWEST = 0.2;

export interface SourceRate {
  readonly name: string;
  /** Bytes since it was first used. */
  readonly bytes: number;
  /** A mean of late, in milliseconds from the attempt to the head. */
  readonly firstByte?: number;
}

/** What came from each source. */
export interface SourceRates {
  /** Counts the bytes of each source that is opened. */
  readonly counter: ByteCounter;
  finished(one: FinishedRequest): void;
  /** Bytes of all sources but the disks of this machine. */
  received(): number;
  /** The same by kind: `feed`, `alternate`, `metadata` of repositories, or another kind of source. */
  fetched(): Iterable<readonly [kind: string, bytes: number]>;
  list(): readonly SourceRate[];
}

/** A source: what came from other machines, and from the disks of this one. */
interface Known {
  readonly remote: Sum;
  readonly local: Sum;
  firstByte?: number;
}

/** The kind of what no client has asked for. */
const METADATA = 'metadata';

/** The source of a location. Metadata has none, since it is fetched for nobody. */
const sourceOf = (location: Location & { readonly source?: SourceId }): SourceId | undefined => location.source;

export const createSourceRates = (): SourceRates => {
  const known = new Map<string, Known>();
  const kinds = new Map<string, Sum>(['feed', 'alternate', METADATA].map((kind) => [kind, { bytes: 0 }]));
  const kindOf = (kind: string) => {
    const sum = kinds.get(kind) ?? { bytes: 0 };
    kinds.set(kind, sum);
    return sum;
  };

  const enter = (name: string, kind: string): Known => {
    const [oldest] = known.keys();
    if (known.size === SOURCES && oldest !== undefined) known.delete(oldest);
    const fresh = { remote: { bytes: 0, within: kindOf(kind) }, local: { bytes: 0 } };
    known.set(name, fresh);
    return fresh;
  };

  /** The one that was opened last: most requests need it again, and its name need not be made. */
  let last: { readonly source: SourceId; readonly known: Known } | undefined;
  const knownOf = (source: SourceId): Known => {
    if (last?.source.id === source.id && last.source.kind === source.kind) return last.known;
    const name = sourceName(source);
    last = { source, known: known.get(name) ?? enter(name, source.kind) };
    return last.known;
  };

  const finished: SourceRates['finished'] = ({ report }) => {
    if (!report) return;
    let asked: { readonly at: number; readonly source: string } | undefined;
    for (const { at, what, detail } of report.timeline) {
      if (what === 'attempt') asked = { at, source: detail };
      if (what !== 'head' || !asked) continue;
      const own = known.get(asked.source);
      if (own) own.firstByte = (own.firstByte ?? at - asked.at) * (1 - NEWEST) + (at - asked.at) * NEWEST;
      return;
    }
  };

  return {
    counter: {
      sumOf: (location) => {
        const source = sourceOf(location);
        const isLocal = location.url.startsWith('file:');
        if (source) return isLocal ? knownOf(source).local : knownOf(source).remote;
        return isLocal ? undefined : kindOf(METADATA);
      },
    },
    finished,
    received: () => [...kinds.values()].reduce((total, { bytes }) => total + bytes, 0),
    fetched: () => [...kinds].map(([kind, { bytes }]) => [kind, bytes] as const),
    list: () =>
      [...known].map(([name, { remote, local, firstByte }]) => ({
        ...{ name, bytes: remote.bytes + local.bytes },
        ...(firstByte !== undefined && { firstByte }),
      })),
  };
};
