import type { Subscription } from 'rxjs';
import { sourceName } from '../../../pipelines/model/index.ts';
import { boundedLabel, grouped, SOURCES, sum } from './bounded.ts';
import type { Families } from './families.ts';
import type { MetricsSources } from './sources.ts';

/** The state of sources: connections, cool-downs, certificates. */
export const feedMetrics = (
  { gauge, total, counter }: Families,
  { usage, fetched, cooldowns, now }: Pick<MetricsSources, 'usage' | 'fetched' | 'cooldowns' | 'now'>,
): Subscription => {
  const origin = boundedLabel(SOURCES);
  gauge(
    {
      name: 'feed_connections',
      help: 'Places for connections to each origin, by state: busy (with a request) or idle (open, or not needed)',
      labels: ['origin', 'state'],
    },
    (set) => {
      const all = usage.connections();
      for (const state of ['busy', 'idle'] as const)
        for (const [label, count] of grouped(
          all,
          (one) => origin(one.origin),
          (one) => one[state],
          sum,
        ))
          set(count, { origin: label, state });
    },
  );
  gauge(
    {
      name: 'feed_requests_waiting',
      help: 'Requests that wait for a connection to each origin (max_connections)',
      labels: ['origin'],
    },
    (set) => {
      for (const [label, count] of grouped(
        usage.connections(),
        (one) => origin(one.origin),
        (one) => one.waiting,
        sum,
      ))
        set(count, { origin: label });
    },
  );

  total(
    {
      name: 'fetched_bytes_total',
      help: 'Bytes that came over the network from sources, by kind: feed, alternate, or metadata (of repositories and alternate sources)',
      labels: ['kind'],
    },
    (set) => {
      for (const [kind, bytes] of fetched()) set(bytes, { kind });
    },
  );

  const cooling = () => cooldowns.unhealthy().filter(({ until }) => until > now());
  const source = boundedLabel(SOURCES);
  gauge({ name: 'sources_unhealthy', help: 'Sources that failed and have not recovered' }, (set) =>
    set(cooldowns.unhealthy().length),
  );
  gauge({ name: 'sources_cooling', help: 'Sources that are cooling down: they are tried last' }, (set) =>
    set(cooling().length),
  );
  gauge(
    {
      name: 'source_cooldown_seconds',
      help: 'Time until a source that is cooling down is tried again',
      labels: ['source'],
    },
    (set) => {
      const left = ({ until }: { readonly until: number }) => (until - now()) / 1000;
      for (const [label, seconds] of grouped(cooling(), (one) => source(sourceName(one.source)), left, Math.max))
        set(seconds, { source: label });
    },
  );
  gauge(
    {
      name: 'source_failures',
      help: 'Failures in a row of a source that has not recovered',
      labels: ['source'],
    },
    (set) => {
      const all = cooldowns.unhealthy();
      for (const [label, count] of grouped(
        all,
        (one) => source(sourceName(one.source)),
        (one) => one.failures,
        Math.max,
      ))
        set(count, { source: label });
    },
  );
  gauge(
    {
      name: 'certificate_expiry_timestamp_seconds',
      help: 'When the first certificate expires that a source uses: Unix time. Known once the source was opened',
      labels: ['source', 'what'],
      aggregator: 'min',
    },
    (set) => {
      for (const what of ['client certificate', 'CA certificate']) {
        const all = usage.certificates().filter((one) => one.what === what);
        const at = ({ notAfter }: { readonly notAfter: number }) => notAfter / 1000;
        for (const [label, seconds] of grouped(all, (one) => source(one.source), at, Math.min))
          set(seconds, { source: label, what });
      }
    },
  );
  const changes = counter(
    {
      name: 'source_state_changes_total',
      help: 'Changes of sources: failed (cools down), trial (is tried again), recovered',
      labels: ['change'],
    },
    [['failed'], ['trial'], ['recovered']],
  );
  return cooldowns.changes.subscribe(({ type }) => changes.add(1, type));
};
