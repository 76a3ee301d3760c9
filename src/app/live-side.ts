import { monitorEventLoopDelay } from 'node:perf_hooks';
import { defer, finalize, type Observable } from 'rxjs';
import { type Delivery, sourceName } from '../../pipelines/index.ts';
import type { StoredRepository } from '../catalog/stored-repository.ts';
import type { Settings } from '../config/schema.ts';
import { bufferBytes } from '../lib/lent-buffers.ts';
import { maskUrl } from '../lib/mask.ts';
import type { PrefixState, Side, SourceState } from '../observe/live/model/wire.ts';
import type { SourceRates } from '../observe/live/source-rates.ts';
import type { Depth } from '../saves/outbox/table.ts';
import { latest } from './latest.ts';
import { prefixFinder } from './prefix-of.ts';
import type { OpenStreamer } from './streamer.ts';
import { version } from './version.ts';

/** What changes slowly: sources, prefixes, saves and the process. */
export interface LiveSide {
  open(streamer: OpenStreamer): void;
  ready(ready: boolean): void;
  delivered(delivery: Delivery): void;
  /** The same values. While they are subscribed to, the event loop is measured. */
  measured<T>(values: Observable<T>): Observable<T>;
  /** Save requests that wait. */
  pending(): number;
  /** Call it once a second. */
  read(): Side;
  /** The prefix of a repository that a path is below, otherwise its first folder. */
  prefixOf(path: string): string;
}

/** Prefixes and sources that are listed; of more prefixes, their number. */
const PREFIXES = 12;
const SOURCES = 16;
/** Milliseconds between two readings of the catalog's repositories. */
const REREAD = 5_000;
/** Milliseconds at least between two counts of the outbox. */
const COUNT = 900;
/** Milliseconds to the head from which a source counts as slow. */
const SLOW = 250;
const NANOSECONDS = 1e6;
const MEBIBYTE = 1024 * 1024;
/** Milliseconds between two measurements of the event loop: so much is its delay at least. */
const RESOLUTION = 10;

/** What other processes of the daemon use. */
export interface Others {
  readonly memory: number;
  readonly buffers: number;
  readonly delay: number;
  /** Their number, if they answer the requests. */
  readonly workers?: number;
}

export const createSide = (
  settings: Settings,
  sources: SourceRates['list'],
  others: () => Others = () => ({ memory: 0, buffers: 0, delay: 0 }),
): LiveSide => {
  let streamer: OpenStreamer | undefined;
  let repositories: () => readonly StoredRepository[] = () => [];
  let isReady = false;
  let delay: ReturnType<typeof monitorEventLoopDelay> | undefined;
  let prefixes: readonly PrefixState[] = [];
  let packages: number | undefined;
  let find = prefixFinder(prefixes);
  let readAt = Number.NEGATIVE_INFINITY;
  let before = { at: 0, bytes: new Map<string, number>() };
  const saves = { delivered: 0, putOff: 0 };
  const started = Date.now() - process.uptime() * 1000;

  let depth: Depth | undefined;
  let countAt = 0;
  const count = (): Depth | undefined => {
    const now = Date.now();
    if (now < countAt || !streamer?.outbox) return depth;
    try {
      depth = streamer.outbox.depth();
    } catch {
      // The outbox reports its errors itself, as something that is degraded.
      depth = undefined;
    }
    // Counting a million of them takes a while.
    countAt = now + Math.max(COUNT, (depth?.waiting ?? 0) / 10);
    return depth;
  };

  const copiesOf = (opened: OpenStreamer | undefined): Side['copies'] => {
    const bytes = opened?.usage.copies?.().bytes;
    const { saveLimit } = settings;
    return bytes === undefined ? undefined : { bytes, limit: typeof saveLimit === 'number' ? saveLimit : 0 };
  };

  /** `undefined` if the catalog fails, which reports that itself. */
  const known = (): readonly StoredRepository[] | undefined => {
    try {
      return repositories();
    } catch {
      return undefined;
    }
  };

  const readPrefixes = (now: number): readonly PrefixState[] => {
    if (now - readAt < REREAD) return prefixes;
    const stored = known();
    // Those of a shared catalog come with the next look.
    if (stored === undefined || stored.length > 0) readAt = now;
    packages = stored?.reduce((sum, one) => sum + one.packages, 0);
    return (stored ?? []).map(({ prefix, follows, every, succeeded, problem }) => ({
      prefix,
      kind: follows ? 'followed' : every === undefined ? 'imported' : 'refreshed',
      at: succeeded * 1000,
      problem: problem && maskUrl(problem),
    }));
  };

  const readSources = (now: number): readonly SourceState[] => {
    const seconds = Math.max(0.5, (now - before.at) / 1000);
    const last = before;
    before = { at: now, bytes: new Map(sources().map(({ name, bytes }) => [name, bytes])) };
    const ill = new Map((streamer?.health.unhealthy() ?? []).map((one) => [sourceName(one.source), one]));
    const known = sources().map(({ name, bytes, firstByte }): SourceState => {
      const one = ill.get(name);
      ill.delete(name);
      const rate = Math.round((bytes - (last.bytes.get(name) ?? bytes)) / seconds);
      const tried = one && (one.until > now || one.state === 'trial') ? one : undefined;
      return {
        name,
        rate,
        firstByte: firstByte === undefined ? undefined : Math.round(firstByte),
        state: tried?.state ?? ((firstByte ?? 0) > SLOW ? 'slow' : 'well'),
        ...(tried && { until: tried.until, code: tried.lastError.code }),
      };
    });
    const rank = ({ state }: SourceState) => ['cooling', 'trial', 'slow', 'well'].indexOf(state);
    return known.toSorted((a, b) => rank(a) - rank(b) || b.rate - a.rate).slice(0, SOURCES);
  };

  return {
    open: (opened) => {
      streamer = opened;
      repositories = latest(() => opened.usage.repositories?.() ?? []);
    },
    ready: (now) => {
      isReady = now;
    },
    delivered: ({ type }) => {
      if (type === 'put-off') saves.putOff += 1;
      else saves.delivered += 1;
    },
    measured: (values) =>
      defer(() => {
        const measuring = monitorEventLoopDelay({ resolution: RESOLUTION });
        measuring.enable();
        delay = measuring;
        return values.pipe(finalize(() => measuring.disable()));
      }),
    pending: () => count()?.waiting ?? 0,
    read: () => {
      const now = Date.now();
      const read = readPrefixes(now);
      if (read !== prefixes) find = prefixFinder(read);
      prefixes = read;
      const waiting = count();
      const p99 = delay && delay.count > 0 ? delay.percentile(99) / NANOSECONDS : 0;
      delay?.reset();
      const { memory, buffers, delay: othersDelay, workers } = others();
      const mebibytes = (bytes: number) => Math.floor(bytes / MEBIBYTE) * MEBIBYTE;
      return {
        ready: isReady,
        degraded: streamer?.degraded() ?? [],
        sources: readSources(now),
        prefixes: prefixes.slice(0, PREFIXES),
        morePrefixes: Math.max(0, prefixes.length - PREFIXES),
        saves: waiting && {
          ...{ waiting: waiting.waiting, oldest: Math.round(waiting.age / 1000) * 1000, ...saves },
          broker: streamer?.usage.broker(),
        },
        copies: copiesOf(streamer),
        packages: streamer?.own && packages,
        process: {
          memory: mebibytes(process.memoryUsage.rss() + memory),
          buffers: mebibytes(bufferBytes().lent + buffers),
          workers,
          delay: Math.max(0, Math.round(p99) - RESOLUTION, Math.round(othersDelay)),
          started,
          version,
        },
      };
    },
    prefixOf: (path) => find(path),
  };
};
