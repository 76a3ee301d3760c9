import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  ignoreElements,
  mergeMap,
  type Observable,
  tap,
  throwError,
  timer,
} from 'rxjs';
import {
  type Catalog,
  type FollowedCatalog,
  type FollowedRepository,
  followFeeds,
  type RefreshEvent,
  refreshOnce,
} from '../../../pipelines/index.ts';
import { NOTHING } from '../../../pipelines/operators/at-once.ts';
import { accessOf } from '../../catalog/access.ts';
import { after } from '../../catalog/answer.ts';
import { isClientFile } from '../../catalog/client-files/client-files.ts';
import { catalogLease } from '../../catalog/lease.ts';
import { asListed } from '../../catalog/mirror-list.ts';
import { leaseOf, type RefreshResult } from '../../catalog/refresh-repository.ts';
import { unchanged } from '../../catalog/roots.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import type { Settings } from '../../config/schema.ts';
import { rootAt } from '../../lib/plain-path.ts';
import { isEntryPoint, suiteOf } from '../../repositories/entry-points.ts';
import type { OpenFiles, ReadFile } from '../../repositories/format.ts';
import { hasSuite } from '../../repositories/has-suite.ts';
import { staysBelow, urlOf } from '../../repositories/relative-path.ts';
import { emitting } from './emitting.ts';
import { firstSights } from './first-sight.ts';
import { inProcess } from './in-process.ts';
import { entryOf, mayHave } from './unlisted.ts';

interface Parts {
  readonly settings: Settings;
  readonly catalog: Pick<Catalog, 'lookup'>;
  readonly store: Pick<CatalogStore, 'entries' | 'repositories' | 'importers' | 'leases' | 'catchUp'>;
  readonly files: OpenFiles;
  /** Called with the result of each refresh. */
  readonly refreshed: (repository: StoredRepository, result: RefreshResult) => void;
  /** Called with the events of each revision that is read. */
  readonly reading: (repository: StoredRepository, event: RefreshEvent<unknown>) => void;
  /** Called if it could not be recorded that a feed was asked: another process may be writing. */
  readonly notNoted: (repository: StoredRepository, error: unknown) => void;
  /** Called if a repository could not be compared with its feed, or not be read. */
  readonly failed: (repository: StoredRepository, error: unknown) => void;
}

/** Milliseconds that clients wait for the comparison with a feed while something older can be served. */
const PATIENCE = 5_000;
/** Milliseconds between looks whether another process has finished reading a repository. */
const AGAIN = 250;

/** The catalog, with the repositories that it follows (`catalog follow`): see `followFeeds`. */
export const followRepositories = (parts: Parts): FollowedCatalog => {
  const { settings, catalog, store, files, refreshed, notNoted, failed } = parts;

  /** Whether the last revision is still that of the feed. Then this is noted. */
  const isConfirmed = async (stored: StoredRepository, read: ReadFile): Promise<boolean> => {
    const same = await unchanged(stored, read);
    if (!same) return false;
    try {
      await store.repositories.confirmed(stored, Date.now() / 1000, same);
    } catch (error) {
      notNoted(stored, error);
    }
    return true;
  };

  const readerOf = async (stored: StoredRepository): Promise<ReadFile> => {
    const importer = await store.importers.get(stored.importerId);
    if (!importer) throw new Error(`importer ${stored.importerId} is not in the catalog`);
    return asListed(files(accessOf(importer.config), rootAt(stored.base)), stored);
  };

  /** Whether there is nothing to be read: the catalog has what the feed has. */
  const isLearnt = async (stored: StoredRepository, suite: string | undefined): Promise<boolean> => {
    const read = await readerOf(stored);
    return suite === undefined ? isConfirmed(stored, read) : !(await hasSuite(stored, suite, read));
  };

  /** Reads it, once no other process does. `isLate`: another one did, so it may be known now. */
  const learn = (stored: StoredRepository, suite: string | undefined, isLate = false): Observable<never> =>
    refreshOnce(
      { id: leaseOf(stored) },
      {
        lease: catalogLease(store.leases),
        refresh: () => (isLate ? unlessLearnt(stored, suite, reading, stored) : reading(stored, suite)),
      },
    ).pipe(
      tap((event) => parts.reading(stored, event)),
      mergeMap(({ type }) => (type === 'busy' ? timer(AGAIN).pipe(mergeMap(() => learn(stored, suite, true))) : EMPTY)),
    );

  const reading = (stored: StoredRepository, suite: string | undefined) =>
    inProcess(settings, stored, refreshed, suite);

  /** `before`: as it was when this began; what another process has found since then is not asked for again. */
  const unlessLearnt = <T>(
    key: StoredRepository,
    suite: string | undefined,
    then: (stored: StoredRepository, suite: string | undefined) => Observable<T>,
    before?: StoredRepository,
  ): Observable<T> =>
    defer(async () => {
      // As it is now: another process may have read it.
      const stored = (await store.repositories.find(key)) ?? key;
      const { suites = [] } = stored.selection;
      const missing = suite === undefined || suites.includes(suite) ? undefined : suite;
      if (before && missing === undefined && stored.succeeded > before.succeeded) return EMPTY;
      return (await isLearnt(stored, missing)) ? EMPTY : then(stored, missing);
    }).pipe(concatMap((rest) => rest));

  /** Requests that waited see what was read, whichever process has read it. */
  const caughtUp: Observable<never> = defer(async () => store.catchUp()).pipe(ignoreElements());

  const update = (key: StoredRepository, suite?: string): Observable<never> =>
    concat(unlessLearnt(key, suite, learn), caughtUp).pipe(catchError((error) => failing(key, error)));

  const failing = (stored: StoredRepository, error: unknown): Observable<never> => {
    failed(stored, error);
    return throwError(() => error);
  };

  const sighted = firstSights({ settings, store, files, update });

  const followed = (path: string): FollowedRepository | undefined => {
    const stored = store.repositories.followed().find(({ prefix }) => path.startsWith(`${prefix}/`));
    if (!stored) return sighted(path);
    const relative = path.slice(stored.prefix.length + 1);
    // An encoded one would lead out of the feed's folder.
    if (!staysBelow(relative)) return undefined;
    // Those who ask for it want the file that makes them clients of this repository.
    if (stored.format !== 'raw' && isClientFile(relative)) return undefined;
    const suite = suiteOf(stored, relative);
    const { base, roots } = stored;
    // What is signed vouches only for what it names.
    const needsNoProof = stored.keyring === undefined;
    // The feed did not have it when the revision was read: without `InRelease`, apt asks for `Release`.
    const lacked = roots?.digests[urlOf(base, relative)] === null;
    return {
      id: suite === undefined ? leaseOf(stored) : `${leaseOf(stored)} ${suite}`,
      ...confirmedAt(stored, suite),
      isEntryPoint: () => (roots ? urlOf(base, relative) in roots.digests : isEntryPoint(relative)),
      unlisted: (asked) => {
        if (!needsNoProof || lacked) return NOTHING;
        const entry = () => entryOf(stored, asked, relative, settings.metadataMaxAge);
        return emitting(after(mayHave(stored, relative, store), (may) => (may ? [entry()] : [])));
      },
      needsNoProof,
      update: () => update(stored, suite),
    };
  };

  return followFeeds({
    ...{ catalog, followed },
    get maxAge() {
      return settings.metadataMaxAge;
    },
    get maxMisses() {
      return settings.maxMisses;
    },
    get patience() {
      return Math.min(PATIENCE, settings.answerTimeout / 2);
    },
    get firstPatience() {
      return settings.answerTimeout / 2;
    },
  });
};

/** A tree without metadata has nothing to be learned: each file is asked for as it is. */
const confirmedAt = (
  { format, succeeded }: StoredRepository,
  suite: string | undefined,
): Pick<FollowedRepository, 'confirmed'> => {
  if (format === 'raw') return { confirmed: Number.POSITIVE_INFINITY };
  return suite === undefined && succeeded > 0 ? { confirmed: succeeded * 1000 } : {};
};
