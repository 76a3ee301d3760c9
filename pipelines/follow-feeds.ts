import {
  asyncScheduler,
  concat,
  defer,
  EMPTY,
  from,
  ignoreElements,
  map,
  mergeMap,
  type Observable,
  ReplaySubject,
  type SchedulerLike,
  Subscription,
  takeUntil,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import { createMisses, type MissLimits } from './misses.ts';
import { type Catalog, type CatalogEntry, StreamError } from './model/index.ts';
import { messageOf } from './model/message-of.ts';
import { AtOnce, mappedToMany, NOTHING } from './operators/at-once.ts';
import { createRecent } from './stages/health/recent.ts';

/** A repository that the catalog learns from its feed when clients ask for it. */
export interface FollowedRepository {
  /** Identifies it; a part of it that is not known yet has an id of its own. */
  readonly id: string;
  /** Milliseconds since 1970 when its feed last had what the catalog has. Absent: nothing is known yet. */
  readonly confirmed?: number;
  /** Whether the file at a path is one that everything else follows from, and that no other vouches for. */
  isEntryPoint(path: string): boolean;
  /**
   * Emits the entry of a path that its metadata does not list, then completes. Emits nothing if the
   * feed cannot have it.
   */
  unlisted(path: string): Observable<CatalogEntry>;
  /** Whether content may be served without its metadata, if that could not be read: it is not signed. */
  readonly needsNoProof: boolean;
  /**
   * Compares the catalog with the feed, and reads what has changed. Completes when the catalog has
   * it. Errors if that failed; the catalog is then as it was. Unsubscribing ends it in the same way.
   */
  update(): Observable<never>;
}

/** The times and the limit are read when they are used: they may change. */
export interface FollowFeedsDeps extends MissLimits {
  readonly catalog: Pick<Catalog, 'lookup'>;
  /** The followed repository that a path belongs to. */
  readonly followed: (path: string) => FollowedRepository | undefined;
  /** Milliseconds after which a repository is compared with its feed before an entry point is served. */
  readonly maxAge: number;
  /**
   * Milliseconds for which requests wait for that, from its beginning, if the catalog has something to
   * serve.
   */
  readonly patience: number;
  /** The same, if it has nothing yet. */
  readonly firstPatience: number;
  /** Its `now` counts from 1970. Default: the RxJS clock. */
  readonly scheduler?: SchedulerLike;
}

/** What became of the last update. */
interface Standing {
  /** When it ended, or began if it is running. */
  readonly at: number;
  readonly error?: unknown;
  /** Completes when it ends, if it is running. */
  readonly running?: Observable<never>;
  /** Whether the feed turned out to have other content since. */
  readonly isDoubted?: boolean;
}

/** Repositories whose last update is remembered. */
const REMEMBERED = 10_000;

/** A catalog that follows feeds: a look-up may update the repository of its path first. */
export interface FollowedCatalog extends Required<Pick<Catalog, 'lookup' | 'unlisted'>> {
  /** Notes that the feed does not have a path that `unlisted` gave an entry for. */
  missed(path: string): void;
  /** Notes that the feed has other content at a path than the catalog: it is compared before `maxAge`. */
  doubted(path: string): void;
  /** Ends all updates. */
  close(): void;
}

/**
 * A catalog that follows feeds. Before an entry point is looked up, or a path that is not known, its
 * repository is brought up to date, unless that was done within `maxAge`. Requests for the same
 * repository wait together, and the update continues if they leave. If it fails, or takes longer than
 * `patience`, the catalog answers with what it has; its entry points then have the time since they were
 * last confirmed (`staleFor`). Everything else is looked up at once. Nothing is updated for a
 * client that has asked for too many paths that do not exist.
 *
 * A path that no metadata lists may be at the feed nevertheless (`unlisted`), unless it was not
 * there within `maxAge`, or its metadata excludes it.
 */
export const followFeeds = (deps: FollowFeedsDeps): FollowedCatalog => {
  const { catalog, followed, scheduler = asyncScheduler } = deps;
  const standings = createRecent<string, Standing>(REMEMBERED);
  const misses = createMisses(deps);
  const updates = new Subscription();

  const isDue = ({ id, confirmed = Number.NEGATIVE_INFINITY }: FollowedRepository): boolean => {
    const { at = confirmed, isDoubted = false } = standings.get(id) ?? {};
    const since = Math.max(confirmed, at);
    // A clock that was ahead says nothing.
    const isFuture = since > scheduler.now() && since !== Number.POSITIVE_INFINITY;
    return isDoubted || isFuture || scheduler.now() - since >= deps.maxAge;
  };

  const begin = (repository: FollowedRepository): Observable<never> => {
    const running = new ReplaySubject<never>();
    const end = (error?: unknown) => {
      standings.set(repository.id, { at: scheduler.now(), error });
      running.complete();
    };
    standings.set(repository.id, { at: scheduler.now(), running });
    updates.add(repository.update().subscribe({ error: end, complete: end }));
    return running;
  };

  /** Completes when the repository is up to date, or is not to be waited for any longer. */
  const upToDate = (repository: FollowedRepository): Observable<never> =>
    defer(() => {
      const { running, at: since = 0 } = standings.get(repository.id) ?? {};
      const update = running ?? (isDue(repository) ? begin(repository) : EMPTY);
      const wait = repository.confirmed === undefined ? deps.firstPatience : deps.patience;
      // A request may ask for several paths, and a feed that is down may be asked for minutes.
      const waited = running ? scheduler.now() - since : 0;
      return update.pipe(takeUntil(timer(Math.max(0, wait - waited), scheduler)), ignoreElements());
    });

  const isOutdated = ({ id }: FollowedRepository): boolean => {
    const { error, running } = standings.get(id) ?? {};
    return error !== undefined || running !== undefined;
  };

  /** The followed repository of a path, if it has to be brought up to date. */
  const outdated = (path: string): FollowedRepository | undefined => {
    const repository = followed(path);
    return repository && (isDue(repository) || isOutdated(repository)) ? repository : undefined;
  };

  const marked =
    (repository: FollowedRepository) =>
    (entry: CatalogEntry): CatalogEntry =>
      repository.confirmed !== undefined && isOutdated(repository)
        ? { ...entry, staleFor: Math.max(0, scheduler.now() - repository.confirmed) }
        : entry;

  return {
    lookup: (path, client) => {
      const found: Observable<CatalogEntry> = readAtOnce(catalog.lookup(path));
      if (isLasting(found)) return found;
      if (isAtOnce(found) && !outdated(path)) return found;
      return found.pipe(
        toArray(),
        mergeMap((entries) => {
          // A catalog that answers later knows by then what it follows.
          const repository = outdated(path);
          if (!repository) return from(entries);
          return (entries.length > 0 ? !repository.isEntryPoint(path) : misses.isRefused(client))
            ? from(entries)
            : concat(
                upToDate(repository),
                defer(() => catalog.lookup(path)),
              ).pipe(map(marked(repository)));
        }),
      );
    },

    unlisted: (path, client) => {
      const repository = followed(path);
      if (!repository) return NOTHING;
      if (repository.confirmed === undefined && isOutdated(repository) && !repository.needsNoProof)
        return throwError(() => unread(repository, standings.get(repository.id)));
      if (misses.isKnown(path)) return NOTHING;
      return mappedToMany(repository.unlisted(path), (entry) => {
        misses.ask(path, client);
        return [entry];
      });
    },

    missed: misses.missed,
    doubted: (path) => {
      const repository = followed(path);
      if (!repository) return;
      // An update under way forgets it when it ends: it reads what the feed has now.
      standings.set(repository.id, { at: Number.NEGATIVE_INFINITY, ...standings.get(repository.id), isDoubted: true });
    },
    close: () => updates.unsubscribe(),
  };
};

/** Entries that are there at once are read once, however often they are looked at. */
const readAtOnce = (found: Observable<CatalogEntry>): Observable<CatalogEntry> => {
  if (!(found instanceof AtOnce)) return found;
  try {
    const entries = found.read();
    return new AtOnce(() => entries);
  } catch (error) {
    return throwError(() => error);
  }
};

const isAtOnce = (found: Observable<unknown>): boolean => found instanceof AtOnce;

/** Whether there are entries, and not of a file that may change: most requests are for such. */
const isLasting = (found: Observable<CatalogEntry>): boolean => {
  const [entry] = found instanceof AtOnce ? found.read() : [];
  return entry !== undefined && entry.maxAge === undefined;
};

const unread = ({ id }: FollowedRepository, { error }: Partial<Standing> = {}): StreamError => {
  if (error instanceof StreamError) return error;
  const reason = error === undefined ? 'its metadata is still being read' : messageOf(error);
  return new StreamError('CATALOG_UNAVAILABLE', 'catalog', `${id}: ${reason}`, { cause: error });
};
