import { decodePath, type Location, type Report, type SourceId } from '../../../pipelines/model/index.ts';
import type { FinishedRequest } from '../../lib/finished-request.ts';
import type { ByteCounter } from '../count-bytes.ts';
import { add, type Day, dayOf, emptyDay, type FileSums, noSource, noSums } from './day.ts';

/** What the streamer was worth, day by day. */
export interface Ledger {
  /** Counts the bytes of each source that is opened, except those on disks of this machine. */
  readonly counter: ByteCounter;
  finished(one: FinishedRequest): void;
  /** Today's sums; those of a former day once more after its end. `undefined` if nothing is new. */
  take(): Day | undefined;
  /** The same, and counts from 0 again: for a process that adds it to its own. */
  drain(): Day | undefined;
  /** Adds what another process has counted. */
  adopt(more: Day): void;
}

/** Prefixes and sources of a day that are counted by themselves; of more, the sum. */
const NAMED = 200;
const OTHERS = '(others)';
/** Files of a day that are remembered at most. Above this, those that were asked for least are forgotten. */
const FILES = 2_000;
const MOST_ASKED = 500;
const DAY = 86_400_000;

interface Options {
  /** What of today is known already. */
  readonly known?: Day | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly prefixOf: (path: string) => string;
}

/** A location that a client's request needs. Metadata is fetched for nobody. */
type Asked = Location & { readonly source?: SourceId; readonly entry?: { readonly path: string } };

const isFetched = ({ source, entry, url }: Asked): boolean =>
  source !== undefined && entry !== undefined && !url.startsWith('file:') && !source.kind.startsWith('saved');

/** Requests for the parts of one body are many, and one file. */
export const createLedger = ({ known, now, prefixOf }: Options): Ledger => {
  let day = known ?? emptyDay(dayOf(now()));
  let ends = (Math.floor(now() / DAY) + 1) * DAY;
  let former: Day | undefined;
  let changed = false;
  /** Counting the names of an object takes longer than a small request. */
  let files = Object.keys(day.files).length;

  const begin = (name: string): void => {
    day = emptyDay(name);
    files = 0;
  };

  const today = (): Day => {
    changed = true;
    const time = now();
    if (time >= ends) {
      former = day;
      begin(dayOf(time));
      ends = (Math.floor(time / DAY) + 1) * DAY;
    }
    return day;
  };

  const sumsOf = (path: string) => named(today().prefixes, prefixOf(path), noSums);

  const fetched = ({ entry }: Asked, bytes: number): void => {
    if (entry) sumsOf(entry.path).fetched += bytes;
  };

  const count = ({ path: asked, outcome, bytes, source = '', attempts, method }: Report) => {
    // However clients spell it, it is one file.
    const path = decodePath(asked);
    const sums = sumsOf(path);
    const isWhole = outcome === 'complete';
    sums.requests += 1;
    sums.served += bytes;
    if (outcome === 'failed') sums.failed += 1;
    if (isWhole && attempts.some(({ failure }) => failure)) sums.rescued += 1;
    if (source.startsWith('saved')) sums.kept += bytes;
    for (const one of attempts) {
      if (one.source.startsWith('saved')) continue;
      const own = named(day.sources, one.source, noSource);
      own.attempts += 1;
      // The feed has answered: it does not have the file.
      if (one.failure && one.failure.code !== 'SOURCE_MISSING') own.failed += 1;
    }
    if (!isWhole || method === 'HEAD') return;
    addFile(path, { requests: 1, bytes });
  };

  const addFile = (path: string, sums: FileSums): void => {
    const known = day.files[path];
    if (known) {
      add(known, sums);
      return;
    }
    day.files[path] = sums;
    files += 1;
    if (files <= FILES) return;
    forget(day);
    files = MOST_ASKED;
  };

  const take = (): Day | undefined => {
    if (former) {
      const ended = former;
      former = undefined;
      return ended;
    }
    if (!changed) return undefined;
    changed = false;
    return day;
  };

  return {
    counter: { endedOf: (location) => (isFetched(location) ? fetched : undefined) },
    finished: ({ report }) => {
      if (report) count(report);
    },
    take,
    drain: () => {
      const taken = take();
      if (taken === day) begin(day.day);
      return taken;
    },
    adopt: ({ prefixes, sources, files: counted }) => {
      const into = today();
      for (const [name, sums] of Object.entries(prefixes)) add(named(into.prefixes, name, noSums), sums);
      for (const [name, sums] of Object.entries(sources)) add(named(into.sources, name, noSource), sums);
      for (const [path, sums] of Object.entries(counted)) addFile(path, { ...sums });
    },
  };
};

/** Records that have as many names as they may: counting those takes longer than a small request. */
const full = new WeakSet<object>();

const named = <T>(all: Record<string, T>, name: string, zero: () => T): T => {
  const known = all[name] ?? (full.has(all) ? all[OTHERS] : undefined);
  if (known) return known;
  if (Object.keys(all).length >= NAMED) full.add(all);
  const sums = zero();
  all[full.has(all) ? OTHERS : name] = sums;
  return sums;
};

const forget = ({ files }: Day): void => {
  const paths = Object.keys(files);
  const asked = (path: string) => files[path]?.requests ?? 0;
  for (const path of paths.toSorted((a, b) => asked(b) - asked(a)).slice(MOST_ASKED)) delete files[path];
};
