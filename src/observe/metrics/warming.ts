import type { Families } from './families.ts';
import type { MetricsSources } from './sources.ts';

/** What is fetched ahead of clients. */
export const warmMetrics = (
  { gauge, total }: Pick<Families, 'gauge' | 'total'>,
  { warmed }: Pick<MetricsSources, 'warmed'>,
): void => {
  total({ name: 'warmed_files_total', help: 'Files that were fetched ahead' }, (set) => set(warmed?.().files));
  total({ name: 'warmed_bytes_total', help: 'Bytes of files that were fetched ahead' }, (set) => set(warmed?.().bytes));
  total(
    {
      name: 'not_warmed_total',
      help: 'Files that were to be fetched ahead and were not, by reason: failed, limit (warm_bytes), no-room (save_limit or the disk), metered, size-unknown, kept (a client was faster), gave-way (clients needed its place too often)',
      labels: ['reason'],
    },
    (set) => {
      if (!warmed) return;
      const { failed, skipped } = warmed();
      for (const [reason, count] of Object.entries({ failed, ...skipped })) set(count, { reason });
    },
  );
  gauge({ name: 'warming_files_waiting', help: 'Files that wait to be fetched ahead' }, (set) =>
    set(warmed?.().waiting),
  );
};
