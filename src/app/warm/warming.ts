import { statfs } from 'node:fs/promises';
import type { Logger } from 'pino';
import {
  BehaviorSubject,
  combineLatest,
  distinctUntilChanged,
  EMPTY,
  from,
  ignoreElements,
  map,
  type Observable,
  Subject,
  tap,
} from 'rxjs';
import {
  createWarmer,
  type Flow,
  type StreamEvent,
  type WarmEvent,
  type WarmRound,
  warm,
} from '../../../pipelines/index.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { StoredEntry } from '../../catalog/stored-entry.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import type { Settings } from '../../config/schema.ts';
import { createSemaphore } from '../../lib/semaphore.ts';
import { messageOf } from '../../lib/thrown.ts';
import { parseUrl } from '../../lib/url.ts';
import type { SaveStore } from '../../saves/copies/store.ts';
import type { Contention } from '../../sources/contention.ts';
import { type Renewable, renewable } from '../renewable.ts';
import { changedRepositories } from './changed.ts';
import { duringHours } from './hours.ts';
import { planAsked, type WantedPackage } from './plan.ts';
import { logRounds, roundOf } from './rounds-log.ts';
import { createWarmTally, type WarmFigures } from './tally.ts';

/** Transfers at a time: two, so that a small package need not wait for the end of a large one. */
const CONCURRENCY = 2;

interface Parts {
  /** They may change: see `renew`. */
  readonly settings: Settings;
  readonly logger: Logger;
  readonly own: CatalogStore;
  readonly store: Pick<SaveStore, 'uses' | 'dateBack' | 'figures'>;
  /** The limit of all copies in bytes; 0: none. */
  readonly limit: () => number;
  /** Fetches a path as a client would, with a copy. */
  readonly fetch: (path: string) => Flow<StreamEvent>;
  readonly contention: Pick<Contention, 'free'>;
  /** Emits when a repository may have changed. */
  readonly refreshed: Observable<unknown>;
  /** Whether `warm` counts here: this process owns the state folder. */
  readonly isOwner: boolean;
}

/** What a round makes of a repository. */
export type Plan = (uses: Awaited<ReturnType<SaveStore['uses']>>) => Promise<readonly WantedPackage[]>;

export interface Order {
  readonly id: string;
  readonly plan: Plan;
  /** Whether feeds may be asked whose transfers cost money (`metered_feeds`). */
  readonly metered: boolean;
}

export type WarmState = 'off' | 'held' | 'giving-way' | 'outside-hours' | 'running' | 'idle';

/** Fetches ahead what clients will ask for. */
export interface Warming {
  /** What becomes of each file, in the background and by commands. Completes when it is closed. */
  readonly events: Observable<WarmEvent<WantedPackage>>;
  state(): WarmState;
  figures(): WarmFigures;
  /** Runs a round for a command, at any hour. Unsubscribing ends it. */
  run(order: Order): Observable<WarmEvent<WantedPackage>>;
  /** While held, nothing is fetched ahead: the transfers under way end, and begin again later. */
  hold(held: boolean): void;
  /** The settings may have changed: what waits is planned again if they have. */
  renew(): void;
  close(): void;
}

export const openWarming = (parts: Parts): Warming => {
  const { settings, logger, own, store, contention } = parts;
  const tally = createWarmTally();
  const events = new Subject<WarmEvent<WantedPackage>>();
  events.subscribe(tally.count);
  const held = new BehaviorSubject(false);
  const oneByOne = createSemaphore(1);
  let [mayNow, isFree] = [true, true];

  const free = combineLatest([held, contention.free]).pipe(
    map(([isHeld, nobodyWaits]) => !isHeld && nobodyWaits),
    distinctUntilChanged(),
  );
  const watching = contention.free.subscribe((now) => {
    isFree = now;
  });

  const warmer = renewable(
    () => settings.warmRate,
    (perSecond) =>
      createWarmer<WantedPackage>({
        ...{ concurrency: CONCURRENCY, perSecond },
        fetch: ({ path }) => parts.fetch(path),
        kept: ({ entry, usedAt }) =>
          usedAt === undefined ? EMPTY : from(store.dateBack(entry, usedAt)).pipe(ignoreElements()),
      }),
  );

  const planned = (plan: Plan, metered: boolean) =>
    from(oneByOne(async () => withSkips(await plan(await store.uses()), metered, parts)));

  const inBackground = (during: Observable<boolean>, bytes: number, within: number) => {
    const allowed = combineLatest([during, free]).pipe(map((all) => all.every((one) => one)));
    const round = (repository: StoredRepository): WarmRound<WantedPackage> => ({
      ...{ id: roundOf(repository), bytes, allowed },
      plan: () =>
        planned((uses) => planAsked({ own, uses }, repository, within === 0 ? 0 : Date.now() - within), false),
    });
    const unreadable = (error: unknown) =>
      logger.warn({ error: messageOf(error) }, 'repositories cannot be listed, nothing is fetched ahead');
    const rounds = changedRepositories(own.repositories, parts.refreshed, unreadable).pipe(map(round));
    return warm(rounds, (one) => warmer.value(one))
      .pipe(logRounds(logger))
      .subscribe((event) => events.next(event));
  };

  const background: Renewable<() => void> = renewable(
    () => {
      const { warm, warmBytes, warmHours, warmWithin, warmRate, meteredFeeds } = settings;
      return { warm: warm && parts.isOwner, warmBytes, warmHours, warmWithin, warmRate, meteredFeeds };
    },
    ({ warm, warmBytes, warmHours, warmWithin }) => {
      mayNow = true;
      if (!warm) return () => {};
      const during = duringHours(warmHours).pipe(
        tap((now) => {
          mayNow = now;
        }),
      );
      const running = inBackground(during, warmBytes, warmWithin);
      return () => {
        running.unsubscribe();
        tally.forget();
      };
    },
  );

  return {
    events,
    figures: tally.figures,
    state: () => {
      const isIdle = tally.figures().waiting === 0;
      if (isIdle) return settings.warm && parts.isOwner ? 'idle' : 'off';
      if (held.value) return 'held';
      if (!isFree) return 'giving-way';
      return mayNow ? 'running' : 'outside-hours';
    },
    run: ({ id, plan, metered }) =>
      warmer
        .value({ id, bytes: Number.POSITIVE_INFINITY, allowed: free, plan: () => planned(plan, metered) })
        .pipe(tap({ next: (event) => events.next(event), finalize: () => tally.forget(id) })),
    hold: (now) => held.next(now),
    renew: () => {
      warmer.renew();
      background.renew()?.();
    },
    close: () => {
      background.value();
      watching.unsubscribe();
      events.complete();
    },
  };
};

/** Marks what is not to be fetched: from a feed that costs money, or for want of room for copies. */
const withSkips = async (
  wanted: readonly WantedPackage[],
  metered: boolean,
  { settings, store, limit }: Parts,
): Promise<readonly WantedPackage[]> => {
  let room = await roomFor(settings, limit(), store.figures().bytes ?? 0);
  const costs = ({ url }: StoredEntry) => settings.meteredFeeds.includes(parseUrl(url)?.host ?? '');
  return wanted.map((one) => {
    if (!metered && costs(one.entry)) return { ...one, skip: 'metered' };
    const { size = 0 } = one;
    if (size > room) return { ...one, skip: 'no-room' };
    room -= size;
    return one;
  });
};

/** Bytes that copies may still take without others being removed for them. */
const roomFor = async ({ saveDir }: Settings, limit: number, bytes: number): Promise<number> => {
  const left = limit === 0 ? Number.POSITIVE_INFINITY : limit - bytes;
  try {
    const { bavail, bsize } = await statfs(saveDir);
    return Math.min(left, bavail * bsize);
  } catch {
    // The folder is made with the first copy, which tells what its disk takes.
    return left;
  }
};
