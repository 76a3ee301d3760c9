import type { Logger } from 'pino';
import { type Observable, retry, type Subscription, timer } from 'rxjs';
import type { RefreshResult } from '../../catalog/refresh-repository.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { RepositoryKey } from '../../catalog/stored-repository.ts';
import type { Settings } from '../../config/schema.ts';
import { messageOf } from '../../lib/thrown.ts';
import type { ChosenCatalog } from '../chosen-catalog.ts';
import { logRepository, logRepositoryFailure } from '../log-lines.ts';
import { type Refresh, refreshOf } from '../refreshes.ts';
import { refreshRepositories } from './refreshing.ts';

export interface Notices {
  /** Called with each refresh as it starts and ends. */
  readonly happened: (refresh: Refresh) => void;
  /** Called with what came of each that succeeded. */
  readonly refreshed: (result: RefreshResult) => void;
}

/**
 * Keeps imported repositories up to date, until it is unsubscribed, and logs what comes of it.
 */
export const keepImportsFresh = (
  settings: Settings,
  logger: Logger,
  { store }: ChosenCatalog,
  catalog: CatalogStore,
  { happened, refreshed }: Notices,
): Subscription =>
  refreshRepositories({
    ...{ settings, catalog, store },
    refreshed: (repository, result) => {
      logRepository(logger, repository, result);
      refreshed(result);
    },
  })
    .pipe(retry({ delay: (error) => logUnreadable(logger, error) }))
    .subscribe((event) => {
      logRepositoryFailure(logger, event);
      refreshOf('import', event, event.source.repository.prefix).forEach(happened);
      if (event.type === 'failed') void noteFailure(catalog, event.source.repository, event.error, logger, event.delay);
    });

/**
 * Records a failure, also one that the process itself could not record: it died, or never began. And
 * when the next try follows, in milliseconds from now, if one is planned.
 */
export const noteFailure = async (
  { repositories }: Pick<CatalogStore, 'repositories'>,
  repository: RepositoryKey,
  error: unknown,
  logger: Logger,
  delay?: number,
): Promise<void> => {
  try {
    const now = Date.now();
    await repositories.failed(
      repository,
      now / 1000,
      messageOf(error),
      delay === undefined ? undefined : (now + delay) / 1000,
    );
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
