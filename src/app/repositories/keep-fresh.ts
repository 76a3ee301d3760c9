import type { Logger } from 'pino';
import { type Observable, retry, type Subscription, timer } from 'rxjs';
import type { FollowedCatalog } from '../../../pipelines/index.ts';
import type { RepositoryKey } from '../../catalog/sqlite/repositories.ts';
import type { Settings } from '../../config/schema.ts';
import { maskUrl } from '../../lib/mask.ts';
import { messageOf } from '../../lib/thrown.ts';
import type { OpenFiles } from '../../repositories/format.ts';
import type { ChosenCatalog } from '../catalog.ts';
import { logRepository, logRepositoryFailure } from '../log-lines.ts';
import { followRepositories } from './following.ts';
import { refreshRepositories } from './refreshing.ts';

/** Keeps imported repositories up to date, until it is unsubscribed, and logs what comes of it. */
export const keepImportsFresh = (
  settings: Settings,
  logger: Logger,
  { embedded, store }: ChosenCatalog,
): Subscription =>
  refreshRepositories({
    ...{ settings, catalog: embedded, store },
    refreshed: (repository, result) => logRepository(logger, repository, result),
  })
    .pipe(retry({ delay: (error) => logUnreadable(logger, error) }))
    .subscribe((event) => {
      logRepositoryFailure(logger, event);
      if (event.type === 'failed') noteFailure(embedded, event.source.repository, event.error, logger);
    });

/** The catalog with the repositories that it follows; what comes of that is logged. */
export const followCatalog = (
  settings: Settings,
  logger: Logger,
  catalog: ChosenCatalog,
  files: OpenFiles,
): FollowedCatalog =>
  followRepositories({
    ...{ settings, catalog, tables: catalog.embedded, store: catalog.store, files },
    refreshed: (repository, result) => logRepository(logger, repository, result),
    notNoted: ({ prefix }, error) =>
      logger.warn({ prefix, error: messageOf(error) }, 'comparison of a repository with its feed not noted'),
    failed: (repository, error) => {
      logger.warn(
        { prefix: repository.prefix, error: maskUrl(messageOf(error)) },
        'followed repository not compared with its feed',
      );
      noteFailure(catalog.embedded, repository, error, logger);
    },
  });

/** Records a failure, also one that the process itself could not record: it died, or never began. */
export const noteFailure = (
  { repositories }: ChosenCatalog['embedded'],
  repository: RepositoryKey,
  error: unknown,
  logger: Logger,
): void => {
  try {
    repositories.failed(repository, Date.now() / 1000, messageOf(error));
  } catch (cause) {
    // Another process may be writing, for which this thread does not wait. The next failure is noted.
    logger.warn({ prefix: repository.prefix, error: messageOf(cause) }, 'failed refresh of a repository not noted');
  }
};

const logUnreadable = (logger: Logger, error: unknown): Observable<number> => {
  logger.error({ error: messageOf(error) }, 'imported repositories cannot be listed, they are not refreshed');
  return timer(LIST_AGAIN);
};

/** Milliseconds until imported repositories are listed again after an error. */
const LIST_AGAIN = 60_000;
