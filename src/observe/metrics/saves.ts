import type { Subscription } from 'rxjs';
import type { Families } from './families.ts';
import type { MetricsSources } from './sources.ts';

/** What becomes of content that is to be saved. */
export const saveMetrics = (
  { gauge, total, counter }: Families,
  { outbox, deliveries, usage }: Pick<MetricsSources, 'outbox' | 'deliveries' | 'usage'>,
): Subscription => {
  gauge({ name: 'saves_pending', help: 'Save requests that wait in the outbox' }, (set) =>
    set(outbox?.depth().waiting),
  );
  gauge(
    { name: 'saves_oldest_age_seconds', help: 'Age of the oldest save request in the outbox; 0 if there is none' },
    (set) => set(outbox && outbox.depth().age / 1000),
  );
  gauge({ name: 'copies_bytes', help: 'Size of all saved copies; absent without a limit (save_limit)' }, (set) =>
    set(usage.copies?.().bytes),
  );
  gauge(
    { name: 'copies_limit_bytes', help: 'The most bytes of saved copies (save_limit); absent if unlimited' },
    (set) => set(usage.copies && (usage.copiesLimit || undefined)),
  );
  total({ name: 'copies_evicted_total', help: 'Saved copies that were removed to make room for others' }, (set) =>
    set(usage.copies?.().evicted),
  );
  total({ name: 'copies_evicted_bytes_total', help: 'Bytes of saved copies that were removed' }, (set) =>
    set(usage.copies?.().evictedBytes),
  );
  const results = counter(
    {
      name: 'saves_total',
      help: 'Deliveries of save requests by result: delivered, put_off (failed, tried again later), declined (dropped)',
      labels: ['result'],
    },
    [['delivered'], ['put_off'], ['declined']],
  );
  return deliveries.subscribe(({ type }) => results.add(1, type.replace('-', '_')));
};
