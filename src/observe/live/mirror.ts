import { BehaviorSubject, type Observable } from 'rxjs';
import { ShortLivedMap } from '../../../pipelines/operators/short-lived-map.ts';
import { ShortLivedSet } from '../../../pipelines/operators/short-lived-set.ts';
import type { Running, SeenNote } from './running.ts';
import type { SourceRate } from './source-rates.ts';
import type { SeenTraffic, Watcher } from './traffic.ts';
import type { RunningNews, TrafficNews } from './traffic-news.ts';

/** What a process tells each second: what was added since then, and what is now. */
export interface ProcessSums {
  readonly requests: number;
  readonly bytes: number;
  readonly received: number;
  readonly resumed: number;
  readonly replaced: number;
  readonly cut: number;
  readonly streams: number;
  readonly paused: number;
  /** Bytes of memory, and of buffers in use. */
  readonly memory: number;
  readonly buffers: number;
}

/** What it tells while somebody looks. */
export interface ProcessNews extends TrafficNews {
  readonly sources: readonly SourceRate[];
  /** Milliseconds that its timers are late. */
  readonly delay: number;
}

/** The traffic of other processes. */
export interface Mirror extends SeenTraffic {
  /** Whether somebody looks: only then are news needed. */
  readonly wanted: Observable<boolean>;
  /** Bytes that came from feeds. */
  readonly received: number;
  /** The sources of all processes. */
  sources(): readonly SourceRate[];
  memory(): number;
  buffers(): number;
  /** The processes that have told something. */
  processes(): number;
  delay(): number;
  add(process: number, sums: ProcessSums): void;
  tell(process: number, news: ProcessNews): void;
  /** The process has ended, and its requests with it. */
  ended(process: number): void;
}

/** A request of another process, as of its last news. */
class Mirrored implements Running {
  readonly id: string;
  readonly path: string;
  readonly client: string;
  readonly began: number;
  readonly notes: SeenNote[] = [];
  sent = 0;
  paused = false;
  copy: Running['copy'];
  spill: Running['spill'];
  end: Running['end'];
  #pausedFor = 0;

  constructor({ id, path, client, began }: Pick<Running, 'id' | 'path' | 'client' | 'began'>) {
    this.id = id;
    this.path = path;
    this.client = client;
    this.began = began;
  }

  pausedFor(): number {
    return this.#pausedFor;
  }

  take({ sent, paused, pausedFor, notes, copy, spill, end }: RunningNews): void {
    this.sent = sent;
    this.paused = paused;
    this.#pausedFor = pausedFor;
    this.notes.push(...notes);
    this.copy = copy;
    this.spill = spill;
    this.end = end;
  }

  loseCopy(at: number): void {
    if (this.copy && !this.copy.end)
      this.copy = { ...this.copy, end: { at, how: 'given-up', reason: 'its process has ended' } };
  }
}

interface Process {
  readonly running: ShortLivedMap<number, Mirrored>;
  sums?: ProcessSums;
  news?: ProcessNews;
}

/** Mirrors what other processes tell of their requests, so that viewers see all of them. */
export const createMirror = (now: () => number): Mirror => {
  const processes = new Map<number, Process>();
  const running = new ShortLivedSet<Running>();
  const wanted = new BehaviorSubject(false);
  const totals = { bytes: 0, received: 0, resumed: 0, replaced: 0, cut: 0 };
  let watcher: Watcher | undefined;

  const of = (index: number): Process => {
    const known = processes.get(index) ?? { running: new ShortLivedMap() };
    processes.set(index, known);
    return known;
  };
  const over = (one: Mirrored) => {
    running.delete(one);
    watcher?.ended(one);
  };
  const sum = (part: (process: Process) => number | undefined) =>
    [...processes.values()].reduce((total, process) => total + (part(process) ?? 0), 0);

  return {
    wanted,
    running,
    get beyond() {
      return sum(({ news }) => news?.beyond);
    },
    count: () => ({ streams: sum(({ sums }) => sums?.streams), paused: sum(({ sums }) => sums?.paused) }),
    get bytes() {
      return totals.bytes;
    },
    get received() {
      return totals.received;
    },
    get resumed() {
      return totals.resumed;
    },
    get replaced() {
      return totals.replaced;
    },
    get cut() {
      return totals.cut;
    },
    memory: () => sum(({ sums }) => sums?.memory),
    buffers: () => sum(({ sums }) => sums?.buffers),
    processes: () => processes.size,
    delay: () => Math.max(0, ...[...processes.values()].map(({ news }) => news?.delay ?? 0)),
    sources: () => mergedSources([...processes.values()].flatMap(({ news }) => news?.sources ?? [])),
    watch: (next) => {
      watcher = next;
      wanted.next(true);
      return () => {
        watcher = undefined;
        wanted.next(false);
        running.clear();
        for (const process of processes.values()) {
          process.running.clear();
          process.news = undefined;
        }
      };
    },
    add: (index, sums) => {
      of(index).sums = sums;
      for (const name of ['bytes', 'received', 'resumed', 'replaced', 'cut'] as const) totals[name] += sums[name];
    },
    tell: (index, news) => {
      // Sent before it heard that nobody looks any more.
      if (!watcher) return;
      const process = of(index);
      process.news = news;
      const begun = news.began.map(({ key, late, ...about }) => {
        const one = new Mirrored(about);
        process.running.set(key, one);
        running.add(one);
        return { one, late };
      });
      const ended: Mirrored[] = [];
      for (const change of news.changed) {
        const one = process.running.get(change.key);
        if (one && !one.end && change.end) ended.push(one);
        one?.take(change);
        if (change.over) process.running.delete(change.key);
      }
      for (const { one, late } of begun) watcher.began(one, late);
      for (const one of ended) over(one);
    },
    ended: (index) => {
      for (const one of processes.get(index)?.running.values() ?? []) {
        one.loseCopy(now());
        // Perhaps only its copy was still in the making.
        if (one.end) continue;
        one.end = { at: now(), outcome: 'failed', code: 'INTERNAL' };
        over(one);
      }
      processes.delete(index);
    },
  };
};

/** The same source in several processes is one. */
const mergedSources = (all: readonly SourceRate[]): readonly SourceRate[] => {
  const merged = new Map<string, SourceRate>();
  for (const { name, bytes, firstByte } of all) {
    const known = merged.get(name);
    merged.set(name, {
      name,
      bytes: bytes + (known?.bytes ?? 0),
      firstByte: Math.max(firstByte ?? 0, known?.firstByte ?? 0) || undefined,
    });
  }
  return [...merged.values()];
};
