import { catchError, concatMap, from, map, mergeMap, type OperatorFunction, of, toArray } from 'rxjs';
import { type Candidate, type CatalogEntry, type FindCandidates, StreamError, toStreamError } from '../model/index.ts';
import type { Health } from './health.ts';

/**
 * Lines up every way to have the bytes: for each entry, newest first, the sources in their order (copies kept on disk,
 * alternate sources, the feed last); those that are cooling down after all others. Emits one list and completes; errors with `NO_CANDIDATE` where it would be empty.
 * A source that cannot say is a candidate that fails: it shows in the report and harms no other.
 */
export const candidates = ({
  sources,
  health,
}: {
  readonly sources: readonly FindCandidates[];
  readonly health?: Pick<Health, 'order'>;
}): OperatorFunction<readonly CatalogEntry[], readonly Candidate[]> =>
  mergeMap((entries) =>
    from(entries).pipe(
      concatMap((entry) =>
        from(sources).pipe(
          concatMap((find) => find(entry).pipe(catchError((error) => of(unusable(entry, toStreamError(error)))))),
        ),
      ),
      toArray(),
      map((all) => {
        if (all.length > 0) return health?.order(all) ?? all;
        throw new StreamError('NO_CANDIDATE', 'catalog', `no source offers ${entries[0]?.path}`);
      }),
    ),
  );

const unusable = (entry: CatalogEntry, problem: StreamError): Candidate => ({
  entry,
  source: problem.source,
  url: entry.url,
  problem,
});
