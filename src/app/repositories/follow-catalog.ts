import type { Logger } from 'pino';
import type { FollowedCatalog } from '../../../pipelines/index.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { Settings } from '../../config/schema.ts';
import { maskUrl } from '../../lib/mask.ts';
import { messageOf } from '../../lib/thrown.ts';
import type { OpenFiles } from '../../repositories/format.ts';
import type { ChosenCatalog } from '../chosen-catalog.ts';
import { logRepository } from '../log-lines.ts';
import { refreshOf } from '../refreshes.ts';
import { followRepositories } from './following.ts';
import { type Notices, noteFailure } from './keep-fresh.ts';

/**
 * The catalog with the repositories that it follows; what comes of that is logged. `happened` is
 * called with each revision that is read, as that starts and ends.
 */
export const followCatalog = (
  settings: Settings,
  logger: Logger,
  catalog: ChosenCatalog,
  store: CatalogStore,
  files: OpenFiles,
  { happened, refreshed }: Notices,
): FollowedCatalog =>
  followRepositories({
    ...{ settings, catalog, store, files },
    refreshed: (repository, result) => {
      logRepository(logger, repository, result);
      refreshed(result);
    },
    notNoted: ({ prefix }, error) =>
      logger.warn({ prefix, error: messageOf(error) }, 'comparison of a repository with its feed not noted'),
    reading: (repository, event) => refreshOf('follow', event, repository.prefix).forEach(happened),
    failed: (repository, error) => {
      happened({ type: 'failed', kind: 'follow', id: repository.prefix });
      logger.warn(
        { prefix: repository.prefix, error: maskUrl(messageOf(error)) },
        'followed repository not compared with its feed',
      );
      void noteFailure(store, repository, error, logger);
    },
  });
