import { catchError, EMPTY, exhaustMap, from, merge, mergeMap, type Observable, startWith } from 'rxjs';
import type { CatalogStore } from '../../catalog/store.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import { ticks } from '../ticks.ts';

/** Milliseconds between two looks at the repositories: commands and other processes refresh them, too. */
const LOOK = 5_000;

/** What changes with the content of a repository. */
const stateOf = ({ roots, selection, packages, succeeded }: StoredRepository): string =>
  JSON.stringify([selection, packages, roots ? roots.digests : succeeded]);

/**
 * Emits each repository of the catalog whose content is known: at first, and when it has changed,
 * whichever process has refreshed it. `refreshed` emits when that may be so. Never completes. If the
 * catalog cannot be read, it is read again later.
 */
export const changedRepositories = (
  { list }: Pick<CatalogStore['repositories'], 'list'>,
  refreshed: Observable<unknown>,
  onError: (error: unknown) => void,
): Observable<StoredRepository> => {
  let known = new Map<string, string>();
  return merge(ticks(LOOK), refreshed).pipe(
    startWith(undefined),
    exhaustMap(() =>
      from(Promise.resolve().then(list)).pipe(
        catchError((error: unknown) => {
          onError(error);
          return EMPTY;
        }),
      ),
    ),
    mergeMap((all) => {
      const before = known;
      const keyOf = ({ prefix, importerId }: StoredRepository) => `${prefix} ${importerId}`;
      const read = all.filter(({ succeeded }) => succeeded > 0);
      known = new Map(read.map((one) => [keyOf(one), stateOf(one)]));
      return read.filter((one) => before.get(keyOf(one)) !== known.get(keyOf(one)));
    }),
  );
};
