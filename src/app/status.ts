import { firstValueFrom, from, throwError, timeout } from 'rxjs';
import { sourceName } from '../../pipelines/index.ts';
import type { StoredRepository } from '../catalog/stored-repository.ts';
import { type PrintedSetting, settingsJson } from '../config/print.ts';
import type { Settings } from '../config/schema.ts';
import type { Load } from '../http/server.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import type { Reloader } from './reload.ts';
import type { Serving } from './serving.ts';
import type { OpenStreamer } from './streamer.ts';
import { version } from './version.ts';
import type { WarmFigures } from './warm/tally.ts';
import type { WarmState } from './warm/warming.ts';
import type { WorkerState } from './workers/keep-worker.ts';
import type { Workers } from './workers/master.ts';

/** Times are in seconds; those with a date are texts of ISO 8601. */
export interface Status {
  /**
   * `degraded`: requests are served, and something else does not work. `unavailable`: they cannot be
   * served.
   */
  readonly state: 'ready' | 'degraded' | 'draining' | 'stopping' | 'unavailable';
  readonly missing: readonly string[];
  readonly degraded: readonly string[];
  readonly version: string;
  readonly pid: number;
  readonly uptime: number;
  readonly listening: readonly string[];
  readonly connections: number;
  /** Those that are being answered. */
  readonly requests: number;
  readonly saves: {
    readonly dispatch: string;
    readonly waiting: number;
    readonly oldest: number;
    /** Absent if tasks are not sent. */
    readonly broker?: 'connected' | 'unreachable';
  };
  /** What is fetched ahead; absent if no copies are kept. */
  readonly warming?: { readonly state: WarmState } & WarmFigures;
  readonly sources: {
    readonly unhealthy: readonly Unhealthy[];
    readonly alternates: readonly Alternate[];
  };
  readonly prefixes: readonly Prefix[];
  /** Those that answer requests; empty if the daemon itself does. */
  readonly workers: readonly WorkerState[];
  /** Settings whose value in the files differs until a restart, as of the last reload. */
  readonly restart_needed: readonly string[];
  /** Secrets are masked. */
  readonly settings: Readonly<Record<string, PrintedSetting>>;
}

interface Unhealthy {
  readonly source: string;
  readonly failures: number;
  readonly until: string;
  readonly error: string;
}

interface Alternate {
  readonly id: string;
  readonly state: string;
  readonly offers: number;
  readonly problems: readonly string[];
}

interface Prefix {
  readonly prefix: string;
  readonly importer: string;
  readonly feed: string;
  readonly packages: number;
  readonly followed: boolean;
  readonly succeeded?: string;
  readonly problem?: string;
}

export interface StatusParts {
  readonly settings: Settings;
  readonly reloader: Pick<Reloader, 'origins' | 'restartNeeded'>;
  readonly serving: Serving;
  readonly streamer: OpenStreamer;
  readonly load: () => Load | Promise<Load>;
  /** The processes that answer requests, if that is not this one. */
  readonly workers?: Pick<Workers, 'states'>;
  readonly listening: () => readonly string[];
  /** Conditions in addition to those of the streamer. */
  readonly degraded: () => readonly string[];
}

/** The daemon at this moment. Rejects if the catalog cannot be read. */
export const statusOf = async (parts: StatusParts): Promise<Status> => {
  const { settings, serving, streamer, load } = parts;
  const missing = serving.missing();
  // First: workers tell with it what does not work in them.
  const { connections, busy } = await load();
  const { waiting, age } = streamer.outbox?.depth() ?? { waiting: 0, age: 0 };
  const connected = streamer.usage.broker();
  const { sources, problems } = await firstValueFrom(streamer.alternates.descriptors);
  const alternates = await Promise.all(
    sources.map(async (source): Promise<Alternate> => {
      const { state, offers, failed } = await streamer.alternates.status(source);
      return {
        id: source.id,
        state,
        offers,
        problems: failed.map(({ path, problem }) => `${path}: ${maskUrl(problem ?? '')}`),
      };
    }),
  );
  const { prefixes, unknown } = await prefixesOf(parts);
  const degraded = [
    ...parts.degraded(),
    ...unknown,
    ...problems.map((problem) => `alternate sources: ${problem}`),
    ...alternates.flatMap((one) => one.problems.map((problem) => `alternate source ${one.id}: ${problem}`)),
    ...prefixes.flatMap(({ prefix, problem }) => (problem === undefined ? [] : [`repository ${prefix}: ${problem}`])),
  ];
  return {
    state: stateOf(serving, missing, degraded),
    missing,
    degraded,
    version,
    pid: process.pid,
    uptime: Math.round(process.uptime()),
    listening: parts.listening(),
    connections,
    requests: busy,
    saves: {
      ...{ dispatch: settings.dispatch, waiting, oldest: Math.round(age / 1000) },
      ...(connected !== undefined && { broker: connected ? 'connected' : 'unreachable' }),
    },
    ...(streamer.warming && { warming: { state: streamer.warming.state(), ...streamer.warming.figures() } }),
    sources: {
      unhealthy: streamer.health.unhealthy().map(({ source, failures, until, lastError }) => ({
        source: sourceName(source),
        failures,
        until: new Date(until).toISOString(),
        error: `${lastError.code}: ${maskUrl(lastError.message)}`,
      })),
      alternates,
    },
    prefixes,
    workers: parts.workers?.states() ?? [],
    restart_needed: parts.reloader.restartNeeded(),
    settings: settingsJson({ settings, origins: parts.reloader.origins() }),
  };
};

const stateOf = (
  { stopping, draining }: Serving,
  missing: readonly string[],
  degraded: readonly string[],
): Status['state'] => {
  if (stopping) return 'stopping';
  if (missing.length > (draining ? 1 : 0)) return 'unavailable';
  if (draining) return 'draining';
  return degraded.length > 0 ? 'degraded' : 'ready';
};

/** Milliseconds that a status waits for a database. */
const PATIENCE = 2_000;

/** What was imported or is followed; Pulp's database does not say. `unknown`: why a shared catalog does not, either. */
const prefixesOf = async ({
  streamer,
}: StatusParts): Promise<{ readonly prefixes: readonly Prefix[]; readonly unknown: readonly string[] }> => {
  const listed = streamer.usage.repositories?.() ?? [];
  if (!(listed instanceof Promise)) return { prefixes: listed.map(prefixOf), unknown: [] };
  try {
    const late = () => throwError(() => new Error(`no answer within ${PATIENCE / 1000} seconds`));
    const repositories = await firstValueFrom(from(listed).pipe(timeout({ first: PATIENCE, with: late })));
    return { prefixes: repositories.map(prefixOf), unknown: [] };
  } catch (error) {
    return { prefixes: [], unknown: [`prefixes are unknown: ${maskUrl(messageOf(error))}`] };
  }
};

const prefixOf = (one: StoredRepository): Prefix => ({
  prefix: one.prefix,
  importer: one.importerId,
  feed: maskUrl(one.base),
  packages: one.packages,
  followed: one.follows ?? false,
  ...(one.succeeded > 0 && { succeeded: new Date(one.succeeded * 1000).toISOString() }),
  ...(one.problem !== undefined && { problem: maskUrl(one.problem) }),
});
