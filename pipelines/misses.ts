import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { StreamError } from './model/index.ts';
import { createRecent } from './stages/health/recent.ts';

export interface MissLimits {
  /** Milliseconds for which a path that does not exist is not asked for again. */
  readonly maxAge: number;
  /** Paths that do not exist, asked for by one client within a minute; 0: no limit. */
  readonly maxMisses: number;
  readonly scheduler?: SchedulerLike;
}

/** Paths, and clients, that are remembered. */
const REMEMBERED = 10_000;
const MINUTE = 60_000;

/** Paths that a feed does not have, and how many of them each client asked for. Bounded. */
export interface Misses {
  /** Whether the path was missing lately. */
  isKnown(path: string): boolean;
  /** Whether a client asked for too many paths that were missing. */
  isRefused(client: string | undefined): boolean;
  /** A client asks for a path. Throws `TOO_MANY_MISSES` if it asked for too many that were missing. */
  ask(path: string, client: string | undefined): void;
  /** The path is missing. */
  missed(path: string): void;
}

export const createMisses = (limits: MissLimits): Misses => {
  const { scheduler = asyncScheduler } = limits;
  const missing = createRecent<string, number>(REMEMBERED);
  /** Who asked for a path last. */
  const askers = createRecent<string, string>(REMEMBERED);
  const clients = createRecent<string, { readonly since: number; readonly count: number }>(REMEMBERED);

  const countOf = (client: string) => {
    const counted = clients.get(client);
    return counted && scheduler.now() - counted.since < MINUTE ? counted : { since: scheduler.now(), count: 0 };
  };

  const isTooMany = ({ count }: { readonly count: number }) => limits.maxMisses > 0 && count >= limits.maxMisses;

  return {
    isRefused: (client = '') => isTooMany(countOf(client)),
    isKnown: (path) => scheduler.now() - (missing.get(path) ?? Number.NEGATIVE_INFINITY) < limits.maxAge,
    ask: (path, client = '') => {
      const counted = countOf(client);
      if (isTooMany(counted))
        throw new StreamError(
          'TOO_MANY_MISSES',
          'client',
          `${path} was not asked for: the client asked for ${counted.count} paths within a minute that do not exist`,
          { retryAfter: counted.since + MINUTE - scheduler.now() },
        );
      askers.set(path, client);
    },
    missed: (path) => {
      const client = askers.get(path);
      if (client === undefined) return;
      askers.delete(path);
      missing.set(path, scheduler.now());
      const { since, count } = countOf(client);
      clients.set(client, { since, count: count + 1 });
    },
  };
};
