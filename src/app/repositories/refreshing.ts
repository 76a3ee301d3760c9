import { defer, exhaustMap, map, type Observable, startWith } from 'rxjs';
import { type RefreshEvent, refreshSources } from '../../../pipelines/index.ts';
import { catalogLease } from '../../catalog/lease.ts';
import { leaseOf, type RefreshResult } from '../../catalog/refresh-repository.ts';
import type { RefreshStore } from '../../catalog/refresh-store.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import type { Settings } from '../../config/schema.ts';
import { ticks } from '../ticks.ts';
import { inProcess } from './in-process.ts';

/** A repository that is imported again and again. */
export interface DueRepository {
  readonly id: string;
  readonly repository: StoredRepository;
}

interface Parts {
  readonly settings: Settings;
  readonly catalog: Pick<CatalogStore, 'repositories'>;
  readonly store: RefreshStore;
  /** Called with the result of each refresh, before `done` is emitted. */
  readonly refreshed: (repository: StoredRepository, result: RefreshResult) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly random?: () => number;
}

/** One at a time: each takes a core, of which transfers to clients need one, too. */
const PACE = { concurrency: 1, spread: 5_000, wait: 60_000, waitLimit: 3_600_000 };

/** Milliseconds between two looks for repositories that commands have added or changed. */
const LOOK = 5_000;

/**
 * Imports repositories again before they are older than their `every`, in the background, while it
 * is subscribed; of all processes on one catalog, one does it. Emits the events of each. Completes
 * never; errors if the catalog cannot be read. Unsubscribing ends the process that imports, which
 * leaves the catalog as it was.
 */
export const refreshRepositories = ({
  settings,
  catalog,
  store,
  refreshed,
  now = Date.now,
  random = Math.random,
}: Parts): Observable<RefreshEvent<DueRepository>> =>
  refreshSources<DueRepository>({
    ...PACE,
    random,
    sources: ticks(LOOK).pipe(
      startWith(undefined),
      exhaustMap(async () => catalog.repositories.list()),
      map((all) => all.filter(({ every }) => every !== undefined)),
      map(keepValues()),
    ),
    lease: catalogLease(store, { now }),
    freshFor: ({ repository }) =>
      defer(async () => {
        const { succeeded = 0, every = 0 } = (await catalog.repositories.find(repository)) ?? {};
        return Math.max(0, (succeeded + every) * 1000 - now());
      }),
    refresh: ({ repository }) => inProcess(settings, repository, refreshed),
  });

/** The same values for repositories that are to be imported in the same way, whatever came of it. */
const keepValues = () => {
  let known = new Map<string, DueRepository>();
  return (repositories: readonly StoredRepository[]): readonly DueRepository[] => {
    known = new Map(
      repositories.map((repository) => {
        const { prefix, importerId, format, base, selection, every, keyring } = repository;
        const key = JSON.stringify([prefix, importerId, format, base, selection, every, keyring]);
        return [key, known.get(key) ?? { id: leaseOf(repository), repository }];
      }),
    );
    return [...known.values()];
  };
};
