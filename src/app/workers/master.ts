import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { Logger } from 'pino';
import { defer, EMPTY, firstValueFrom, mergeMap, type Observable, of, race, Subject, tap, timer } from 'rxjs';
import type { Dispatch, HealthChange, PendingSaveRequest, SaveRequest } from '../../../pipelines/index.ts';
import type { Settings } from '../../config/schema.ts';
import type { ListenAddress } from '../../http/addresses.ts';
import { holdSockets } from '../../http/held-sockets.ts';
import type { HttpServer } from '../../http/listeners.ts';
import type { OpenSocket } from '../../lib/open-socket.ts';
import { createMirror } from '../../observe/live/mirror.ts';
import type { MetricJson } from '../../observe/metrics/merged.ts';
import type { Day } from '../../observe/worth/day.ts';
import { createPlaces, type Places } from '../../sources/source-limits.ts';
import type { Told } from '../live.ts';
import type { Refresh } from '../refreshes.ts';
import type { OpenStreamer } from '../streamer.ts';
import type { Start, WorkerLoad } from './calls.ts';
import type { Owned } from './for-worker.ts';
import { type Counts, type KeptWorker, keepWorker, type WorkerState } from './keep-worker.ts';
import { ownerOfFile } from './owner.ts';
import { inWorker } from './process.ts';
import { shareOf } from './shares.ts';
import { soon } from './soon.ts';

/** The processes that answer requests, in the place of the daemon's own server. */
export interface Workers extends Pick<HttpServer, 'listen' | 'drain' | 'idle' | 'stop'> {
  /** To be called before they listen: the streamer that owns the state folder, and what counts for the report. */
  own(streamer: OpenStreamer, worth: (day: Day) => void): void;
  /** To be called before they listen, if metrics will be asked for. */
  measure(): void;
  /** Sums of all. */
  load(): Promise<Sums>;
  /** Has the settings applied that a reload has changed, by one worker after the other. */
  renew(): Promise<void>;
  reopenLogs(): void;
  /** The metrics of each, by the id of its process. */
  metrics(): Promise<ReadonlyMap<number, readonly MetricJson[]>>;
  /** Has units saved by the process that has their content: a worker, or this one by its own dispatch. */
  saving(own: Dispatch): Dispatch;
  /** To be called with the save requests of this process's own transfers. */
  noted(save: SaveRequest): void;
  /** The places of sources that limit their transfers, for all processes. */
  readonly places: Places;
  /** The name of the daemon whose processes share the folder of copies. */
  readonly family: string;
  /** What the live page shows of them. */
  readonly told: Told;
  /** What the workers refresh themselves; completes when all have ended. */
  readonly refreshes: Observable<Refresh>;
  /**
   * A line for each that does not answer, and for each subject that does not work in some of them, as
   * of the last look at each.
   */
  troubles(): readonly string[];
  /** What they have done so far, as of the last look at each. */
  counts(): Counts;
  /** Those that answer, and their processes. */
  states(): readonly WorkerState[];
}

interface Parts {
  /** Changed by reloads. */
  readonly settings: Settings;
  readonly count: number;
  readonly logger: Logger;
}

type Sums = Omit<WorkerLoad, 'degraded'>;

const NOTHING: Sums = {
  ...{ connections: 0, busy: 0, paused: 0, arrived: 0, transfers: 0, clients: 0, answered: 0, failed: 0 },
};

/** Milliseconds after which a worker that was to stop, and has not said that it did, hangs. */
const HUNG = 5_000;

/** A line for each subject, with the workers in which it does not work. Each may have another reason: one is enough. */
const degradedOf = (workers: readonly KeptWorker[]): readonly string[] => {
  const all = workers.flatMap((one) => one.degraded().map((line) => ({ line, worker: `worker ${one.index + 1}` })));
  return Object.values(Object.groupBy(all, ({ line }) => line.split(': ', 1)[0] ?? '')).map(
    (those = []) => `${those[0]?.line} (${those.map(({ worker }) => worker).join(', ')})`,
  );
};

/** Makes the workers, which begin when they are to listen. */
export const createWorkers = ({ settings, count, logger }: Parts): Workers => {
  const places = createPlaces();
  const family = randomUUID();
  const refreshes = new Subject<Refresh>();
  const finished = new Subject<number>();
  const mirror = createMirror(Date.now);
  const sockets = Array.from({ length: count }, (_, index) => `${settings.controlSocket}.${index + 1}`);
  /** Which process has the content of a unit that is to be saved. */
  const writers = new Map<string, number | 'own'>();
  /** The metrics of each as of the last time. */
  let measures: ReadonlyMap<number, readonly MetricJson[]> = new Map();
  let streamer: OpenStreamer | undefined;
  let worth: (day: Day) => void = () => {};
  let measured = false;
  let draining = false;
  let looking = false;
  let workers: readonly KeptWorker[] = [];
  /** Closes the sockets of clients. */
  let release = () => {};

  mirror.wanted.subscribe((wanted) => {
    looking = wanted;
    for (const worker of workers) worker.peer()?.tell('look', wanted);
  });

  const unitOf = ({ entry }: Pick<SaveRequest, 'entry'>) => JSON.stringify([entry.unitId, entry.path]);
  const owned = (): OpenStreamer => {
    if (!streamer) throw new Error('no streamer owns the state folder');
    return streamer;
  };
  const ownedFor = (index: number): Owned => ({
    ...{ streamer: owned(), places, refreshes, mirror, finished, index, worth },
    found: (change: HealthChange) => {
      for (const other of workers) if (other.index !== index) other.peer()?.tell('health', change);
    },
    noted: (save) => noted(save, index),
  });
  const noted = (save: SaveRequest, writer: number | 'own') => {
    if (settings.dispatch === 'save') writers.set(unitOf(save), writer);
  };

  /** Has a worker save a unit. Emits the reason if it never can be. */
  const savedBy = (index: number, save: PendingSaveRequest): Observable<string> =>
    defer(async () => {
      const peer = workers[index]?.peer();
      if (!peer) throw new Error('the worker that would save it is being replaced');
      return peer.ask('save', save);
    }).pipe(mergeMap((declined) => (declined === undefined ? EMPTY : of(declined))));

  const all = async <T>(ask: (worker: KeptWorker) => Promise<T | undefined> | undefined): Promise<readonly T[]> => {
    // One that ends in the meantime has nothing more to say.
    const answers = await Promise.allSettled(workers.map(async (worker) => ask(worker)));
    return answers.flatMap((one) => (one.status === 'fulfilled' && one.value !== undefined ? [one.value] : []));
  };
  /** The same, without those that do not answer soon. */
  const ready = <T>(ask: (worker: KeptWorker) => Promise<T | undefined> | undefined) =>
    all(async (worker) => soon(ask(worker)));

  const end = async () => {
    for (const worker of workers) worker.retire();
    await Promise.all(workers.map((worker) => worker.end()));
    refreshes.complete();
    release();
    for (const socket of sockets) rmSync(socket, { force: true });
  };

  return {
    places,
    family,
    refreshes,
    told: {
      ...{ mirror, finished },
      history: {
        list: async () => {
          const lists = await ready((worker) => worker.peer()?.ask('history', undefined));
          return lists.flat().toSorted((a, b) => b.at - a.at);
        },
        find: async (id) => (await ready((worker) => worker.peer()?.ask('find', id)))[0],
      },
    },
    own: (opened, counting) => {
      streamer = opened;
      worth = counting;
    },
    measure: () => {
      measured = true;
    },
    listen: async (where: readonly (ListenAddress | OpenSocket)[], port) => {
      const held = holdSockets(where, port);
      release = () => held[Symbol.dispose]();
      const places = inWorker(held.sockets);
      const startOf = (index: number): Start => ({
        ...{ settings: shareOf(settings, index, count), index, sockets, family, places, measured },
      });
      workers = sockets.map((_, index) =>
        keepWorker({
          ...{ index, logger, owned: ownedFor(index), sockets: held.sockets, startOf: () => startOf(index) },
          begun: (peer) => {
            if (draining) peer.tell('drain', true);
            if (looking) peer.tell('look', true);
            for (const health of owned().health.unhealthy()) peer.tell('health', { type: 'failed', health });
          },
        }),
      );
      try {
        const [addresses = []] = await Promise.all(workers.map((worker) => worker.start()));
        return addresses;
      } catch (error) {
        await end();
        throw error;
      }
    },
    drain: (now) => {
      draining = now;
      for (const worker of workers) worker.peer()?.tell('drain', now);
    },
    idle: async () => {
      await all((worker) => worker.peer()?.ask('idle', undefined));
    },
    load: async () => {
      const loads = await ready((worker) => worker.load());
      const names = Object.keys(NOTHING) as (keyof Sums)[];
      const sum = (name: keyof Sums) => loads.reduce((total, one) => total + one[name], 0);
      return { ...NOTHING, ...Object.fromEntries(names.map((name) => [name, sum(name)])) };
    },
    renew: async () => {
      for (const worker of workers) await worker.renew();
    },
    reopenLogs: () => {
      for (const worker of workers) worker.peer()?.tell('reopenLog', undefined);
    },
    metrics: async () => {
      const each = await all(async (worker) => {
        const [state] = worker.state();
        // One that is late has not ended: what it had counted is still its own.
        const metrics = (await soon(worker.peer()?.ask('metrics', undefined))) ?? measures.get(state?.pid ?? 0);
        return state && metrics && ([state.pid, metrics] as const);
      });
      measures = new Map(each);
      return measures;
    },
    noted: (save) => noted(save, 'own'),
    saving: (own) => (save) => {
      const unit = unitOf(save);
      const done = () => writers.delete(unit);
      return defer(() => {
        const writer = writers.get(unit) ?? ownerOfFile(save.entry.path, count, settings.indexNames);
        return writer === 'own' ? own(save) : savedBy(writer, save);
      }).pipe(tap({ complete: done }));
    },
    troubles: () => [...workers.flatMap((worker) => worker.problem() ?? []), ...degradedOf(workers)],
    states: () => workers.flatMap((worker) => worker.state()),
    counts: () => {
      const counts = workers.map((worker) => worker.counts());
      const sum = (name: keyof Counts) => counts.reduce((total, one) => total + one[name], 0);
      return { answered: sum('answered'), failed: sum('failed') };
    },
    stop: async (timeoutMs) => {
      for (const worker of workers) worker.retire();
      // The workers have the sockets: nobody may wait at them once they have closed them.
      release();
      const stopped = all((worker) => worker.peer()?.ask('stop', timeoutMs));
      // One that hangs does not answer.
      await firstValueFrom(race(stopped, timer(timeoutMs + HUNG)));
      // The workers answered each other until now.
      await end();
    },
  };
};
