import type { Subscription } from 'rxjs';
import { boundedLabel, grouped, REPOSITORIES, SOURCES, sum } from './bounded.ts';
import type { Families } from './families.ts';
import type { MetricsSources } from './sources.ts';

/** What is read again and again: imported and followed repositories, alternate sources. */
export const refreshMetrics = (
  { gauge, counter }: Families,
  { refreshes, repositories, now }: Pick<MetricsSources, 'refreshes' | 'repositories' | 'now'>,
): Subscription => {
  const results = counter(
    {
      name: 'refreshes_total',
      help: 'Refreshes by kind (alternate, import, follow) and result (done, failed)',
      labels: ['kind', 'result'],
    },
    ['alternate', 'import', 'follow'].flatMap((kind) => ['done', 'failed'].map((result) => [kind, result])),
  );
  const name = boundedLabel(SOURCES + REPOSITORIES);
  const last = new Map<string, Last>();
  const began = new Map<string, number>();

  const each =
    (of: (one: Last) => number | undefined) => (set: (value?: number, labels?: Record<string, string>) => void) => {
      for (const one of last.values()) set(of(one), { kind: one.kind, name: one.name });
    };
  const labels = ['kind', 'name'];
  gauge(
    {
      name: 'refresh_last_success_timestamp_seconds',
      help: 'When a refresh last succeeded since the start: Unix time',
      labels,
    },
    each(({ at }) => at),
  );
  gauge(
    {
      name: 'refresh_last_duration_seconds',
      help: 'Duration of the last refresh that succeeded since the start',
      labels,
    },
    each(({ took }) => took),
  );
  gauge(
    { name: 'refresh_last_entries', help: 'Entries, or offers, that the last refresh since the start found', labels },
    each(({ units }) => units),
  );
  gauge(
    { name: 'refresh_failing', help: '1 if the last refresh failed; otherwise 0', labels },
    each(({ failing }) => Number(failing)),
  );
  const repository = boundedLabel(REPOSITORIES);
  gauge(
    {
      name: 'repository_last_success_timestamp_seconds',
      help: 'When a repository was last found to be as its feed has it, by any process: Unix time',
      labels: ['repository'],
    },
    (set) => {
      const known = [...repositories()].filter(({ succeeded }) => succeeded > 0);
      for (const [label, at] of grouped(
        known,
        (one) => repository(one.prefix),
        (one) => one.succeeded,
        Math.min,
      ))
        set(at, { repository: label });
    },
  );
  gauge(
    {
      name: 'repository_due_timestamp_seconds',
      help: 'When a repository that is imported again and again (--every) should be imported next: Unix time',
      labels: ['repository'],
    },
    (set) => {
      const due = [...repositories()].flatMap(({ prefix, succeeded, every }) =>
        succeeded > 0 && every !== undefined ? [{ prefix, at: succeeded + every }] : [],
      );
      for (const [label, at] of grouped(
        due,
        (one) => repository(one.prefix),
        (one) => one.at,
        Math.min,
      ))
        set(at, { repository: label });
    },
  );
  gauge(
    { name: 'repository_entries', help: 'Entries of the last revision of a repository', labels: ['repository'] },
    (set) => {
      const entries = ({ packages, metadata }: { packages: number; metadata: number }) => packages + metadata;
      for (const [label, count] of grouped(repositories(), (one) => repository(one.prefix), entries, sum))
        set(count, { repository: label });
    },
  );

  return refreshes.subscribe(({ type, kind, id, units }) => {
    const label = name(id);
    const key = `${kind} ${label}`;
    if (type === 'started') {
      began.set(key, now());
      return;
    }
    results.add(1, kind, type);
    const since = began.get(key);
    began.delete(key);
    const before = last.get(key) ?? { kind, name: label };
    if (type === 'failed') last.set(key, { ...before, failing: true });
    else
      last.set(key, {
        ...{ kind, name: label, failing: false, at: now() / 1000, units },
        took: since === undefined ? undefined : (now() - since) / 1000,
      });
  });
};

interface Last {
  readonly kind: string;
  readonly name: string;
  readonly failing?: boolean;
  readonly at?: number;
  readonly took?: number;
  readonly units?: number;
}
