import type { Logger } from 'pino';
import { type MonoTypeOperatorFunction, tap } from 'rxjs';
import type { WarmEvent } from '../../../pipelines/index.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import { maskUrl } from '../../lib/mask.ts';
import { messageOf } from '../../lib/thrown.ts';
import type { WantedPackage } from './plan.ts';

/** Names the rounds of a repository: several importers may feed one prefix. */
export const roundOf = ({ prefix, importerId }: Pick<StoredRepository, 'prefix' | 'importerId'>): string =>
  `${prefix || '/'} ${importerId}`;

const prefixIn = (id: string): string => id.slice(0, id.lastIndexOf(' '));

/** Logs the first failure of each round, and a line for each that had something to fetch. */
export const logRounds = (logger: Logger): MonoTypeOperatorFunction<WarmEvent<WantedPackage>> => {
  const rounds = new Map<string, { files: number; bytes: number; failed: number; skipped: number }>();
  return tap((event) => {
    const { type, id } = event;
    if (type === 'planned') rounds.set(id, { files: 0, bytes: 0, failed: 0, skipped: 0 });
    const round = rounds.get(id);
    if (type === 'failed') {
      const { wanted, error } = event;
      if (!wanted || round?.failed === 0)
        logger.warn(
          { prefix: prefixIn(id), ...(wanted && { path: wanted.path }), error: maskUrl(messageOf(error)) },
          'not fetched ahead',
        );
      if (round) round.failed += 1;
    }
    if (!round) return;
    if (type === 'warmed') {
      round.files += 1;
      round.bytes += event.bytes;
    }
    if (type === 'skipped') round.skipped += 1;
    if (type !== 'done') return;
    rounds.delete(id);
    if (round.files + round.failed + round.skipped > 0)
      logger.info({ prefix: prefixIn(id), ...round }, 'packages fetched ahead');
  });
};
