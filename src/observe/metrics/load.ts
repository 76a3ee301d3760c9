import type { Families } from './families.ts';
import type { MetricsSources } from './sources.ts';

/** What is going on at the moment of the scrape. */
export const loadMetrics = (
  { gauge }: Families,
  { version, load, limits, ready, degraded, usage }: MetricsSources,
): void => {
  gauge(
    { name: 'build_info', help: 'Always 1; the version is a label', labels: ['version'], aggregator: 'max' },
    (set) => set(1, { version }),
  );
  gauge({ name: 'ready', help: '1 if the catalog answers, as /readyz says; otherwise 0', aggregator: 'min' }, (set) =>
    set(Number(ready())),
  );
  gauge(
    {
      name: 'degraded',
      help: 'Things that do not work although requests are served; /readyz names them',
      aggregator: 'max',
    },
    (set) => set(degraded().length),
  );
  gauge({ name: 'transfers', help: 'Requests that are being answered, or were begun ahead of their turn' }, (set) =>
    set(load().transfers),
  );
  gauge({ name: 'transfers_limit', help: 'The most transfers at a time (max_transfers); absent if unlimited' }, (set) =>
    set(limits.transfers || undefined),
  );
  gauge({ name: 'clients', help: 'Clients, by address, that have a transfer' }, (set) => set(load().clients));
  gauge({ name: 'client_connections', help: 'Open connections of clients' }, (set) => set(load().connections));
  gauge(
    {
      name: 'client_connections_limit',
      help: 'The most connections of clients (max_client_connections); absent if unlimited',
    },
    (set) => set(limits.connections || undefined),
  );
  gauge(
    { name: 'streams_paused', help: 'Responses whose source is paused, since their client takes less than it sends' },
    (set) => set(load().paused),
  );
  gauge(
    {
      name: 'buffer_bytes',
      help: 'Memory for reads, by state: lent (to transfers and their connections) or unused',
      labels: ['state'],
    },
    (set) => {
      const { lent, unused } = usage.buffers();
      set(lent, { state: 'lent' });
      set(unused, { state: 'unused' });
    },
  );
  gauge({ name: 'spilled_bytes', help: 'Bytes of transfers that wait on disk for slow clients (spill_dir)' }, (set) =>
    set(usage.spilled()),
  );
};
