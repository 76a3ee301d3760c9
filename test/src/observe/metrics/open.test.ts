import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import type { FinishedRequest } from '../../../../src/lib/finished-request.ts';
import { type Metrics, openMetrics } from '../../../../src/observe/metrics/open.ts';
import type { MetricsSources, RefreshSeen } from '../../../../src/observe/metrics/sources.ts';
import { missingTools } from '../../../support/tools.ts';
import { until } from '../../../support/until.ts';

const OPEN = 'application/openmetrics-text;version=1.0.0';
const NOW = Date.UTC(2030, 0, 1);

const opened: Metrics[] = [];
afterEach(() => {
  for (const metrics of opened.splice(0)) metrics.close();
});

const observing = (more: Partial<MetricsSources> = {}) => {
  const finished = new Subject<FinishedRequest>();
  const refreshes = new Subject<RefreshSeen>();
  const deliveries = new Subject<{ type: 'delivered' | 'declined' | 'put-off' }>();
  const changes = new Subject<{ type: 'failed' | 'trial' | 'recovered' }>();
  let now = NOW;
  const metrics = openMetrics({
    ...{ version: '1.2.3', finished, refreshes, deliveries },
    cooldowns: { changes, unhealthy: () => [] },
    load: () => ({ connections: 3, transfers: 2, clients: 1, paused: 1 }),
    limits: { transfers: 10, connections: 0 },
    usage: {
      connections: () => [],
      certificates: () => [],
      copiesLimit: 0,
      spilled: () => 0,
      buffers: () => ({ lent: 0, unused: 0 }),
    },
    fetched: () => [['feed', 7]],
    repositories: () => [],
    ready: () => true,
    degraded: () => [],
    now: () => now,
    ...more,
  });
  opened.push(metrics);
  const values = async (name: string) => {
    const { text } = await metrics.scrape('');
    return text.split('\n').filter((line) => line.startsWith(`pulp_streamer_${name}`) && !line.includes('_bucket'));
  };
  const pass = (milliseconds: number) => {
    now += milliseconds;
  };
  return { finished, refreshes, deliveries, changes, metrics, values, pass };
};

const request = (source: string, more: Partial<FinishedRequest> = {}): FinishedRequest => ({
  ...{ id: 'a', method: 'GET', target: '/secret/path', status: 200, client: '192.0.2.7', duration: 1500 },
  report: {
    ...{ id: 'a', method: 'GET', path: '/secret/path', outcome: 'complete', bytes: 10, duration: 1500, firstByte: 20 },
    ...{ pauses: 0, pausedFor: 0, recorded: false, source, attempts: [{ source, url: 'http://secret/', from: 0 }] },
    timeline: [
      { at: 1, what: 'found', detail: '' },
      { at: 1, what: 'attempt', detail: '' },
    ],
  },
  ...more,
});

describe('metrics', () => {
  it('count requests by outcome, and what they cost in seconds and bytes', async () => {
    const { finished, values } = observing();
    finished.next(request('feed:a.example'));
    finished.next(request('feed:a.example', { status: 499 }));
    finished.next({ ...request(''), status: 400, report: undefined });
    expect(await values('requests_total')).toEqual([
      'pulp_streamer_requests_total{outcome="complete",status="200"} 1',
      'pulp_streamer_requests_total{outcome="left",status="499"} 1',
      'pulp_streamer_requests_total{outcome="refused",status="400"} 1',
    ]);
    expect(await values('response_bytes_total')).toEqual(['pulp_streamer_response_bytes_total{kind="feed"} 20']);
    expect(await values('fetched_bytes_total')).toEqual(['pulp_streamer_fetched_bytes_total{kind="feed"} 7']);
    expect(await values('request_duration_seconds')).toEqual([
      'pulp_streamer_request_duration_seconds_sum{kind="feed"} 3',
      'pulp_streamer_request_duration_seconds_count{kind="feed"} 2',
    ]);
  });

  it('name a bounded number of sources, and neither paths nor clients', async () => {
    const { finished, values, metrics } = observing();
    for (let host = 0; host < 200; host += 1) finished.next(request(`feed:h${host}.example`));
    const lines = await values('source_attempts_by_source_total');
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe('pulp_streamer_source_attempts_by_source_total{source="other",outcome="delivered"} 150');
    const { text } = await metrics.scrape('');
    expect(text).not.toMatch(/secret|192\.0\.2\.7/);
  });

  it('are read with each scrape, and left out if unknown', async () => {
    let connections = 1;
    const { values } = observing({ load: () => ({ connections, transfers: 0, clients: 0, paused: 0 }) });
    expect(await values('client_connections')).toEqual(['pulp_streamer_client_connections 1']);
    connections = 2;
    expect(await values('client_connections')).toEqual(['pulp_streamer_client_connections 2']);
    expect(await values('transfers_limit')).toEqual(['pulp_streamer_transfers_limit 10']);
    expect(await values('saves_pending')).toEqual([]);
  });

  it('do without what cannot be read, and count that', async () => {
    const depth = () => {
      throw new Error('database is locked');
    };
    const { values } = observing({ outbox: { depth } });
    expect(await values('saves_pending')).toEqual([]);
    expect(await values('unreadable_metrics_total')).toEqual([
      'pulp_streamer_unreadable_metrics_total{metric="saves_pending"} 2',
      'pulp_streamer_unreadable_metrics_total{metric="saves_oldest_age_seconds"} 2',
    ]);
  });

  it('know of each refresh when it succeeded, how long it took, and what it found', async () => {
    const { refreshes, values, pass } = observing();
    refreshes.next({ type: 'started', kind: 'import', id: '/fedora' });
    pass(2_500);
    refreshes.next({ type: 'done', kind: 'import', id: '/fedora', units: 7 });
    refreshes.next({ type: 'failed', kind: 'import', id: '/fedora' });
    expect(await values('refresh_')).toEqual([
      `pulp_streamer_refresh_last_success_timestamp_seconds{kind="import",name="/fedora"} ${NOW / 1000 + 2.5}`,
      'pulp_streamer_refresh_last_duration_seconds{kind="import",name="/fedora"} 2.5',
      'pulp_streamer_refresh_last_entries{kind="import",name="/fedora"} 7',
      'pulp_streamer_refresh_failing{kind="import",name="/fedora"} 1',
    ]);
    expect(await values('refreshes_total{kind="import"')).toEqual([
      'pulp_streamer_refreshes_total{kind="import",result="done"} 1',
      'pulp_streamer_refreshes_total{kind="import",result="failed"} 1',
    ]);
  });

  it('show how late timers are', async () => {
    const began = performance.now();
    const { metrics, values } = observing();
    while (performance.now() < began + 1_200);
    await until(async () => (await values('event_loop_delay_seconds_count'))[0]?.endsWith(' 1') ?? false);
    const { text } = await metrics.scrape('');
    // Due after half a second, it came after 1.2.
    expect(text).toContain('pulp_streamer_event_loop_delay_seconds_bucket{le="0.5"} 0\n');
  });

  it('stop observing when they are closed', () => {
    const { metrics, finished, changes } = observing();
    metrics.close();
    expect([finished.observed, changes.observed]).toEqual([false, false]);
  });
});

describe('the formats of metrics', () => {
  it.each([
    ['', 'text/plain; version=0.0.4; charset=utf-8'],
    ['*/*', 'text/plain; version=0.0.4; charset=utf-8'],
    [`${OPEN};q=0.5,text/plain;version=0.0.4`, 'text/plain; version=0.0.4; charset=utf-8'],
    [`${OPEN};q=0`, 'text/plain; version=0.0.4; charset=utf-8'],
    [OPEN, 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    [
      `${OPEN},application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`,
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    ],
  ])('Accept: %s gets %s', async (accept, type) => {
    expect((await observing().metrics.scrape(accept)).type).toBe(type);
  });

  it('are the same metrics, whichever was asked for before', async () => {
    const { metrics, finished } = observing();
    const before = await metrics.scrape('');
    finished.next(request('feed:a.example'));
    const open = await metrics.scrape(OPEN);
    const after = await metrics.scrape('');
    expect(namesIn(after.text)).toEqual(namesIn(before.text));
    expect(open.text).toMatch(/\n# EOF\n$/);
    expect(namesIn(inTextFormat(open.text))).toEqual(namesIn(after.text));
    expect(open.text).toContain('pulp_streamer_requests_total{outcome="complete",status="200"} 1');
  });

  // Skipped where there is no promtool: it is part of Debian's package `prometheus`.
  const itLints = missingTools(['promtool']).length === 0 ? it : it.skip;
  itLints.each([
    ['the text format', '', (text: string) => text],
    ['OpenMetrics', OPEN, (text: string) => inTextFormat(text)],
  ])('%s is without fault for promtool', async (_, accept, toText) => {
    const { metrics, finished } = observing();
    finished.next(request('feed:a.example'));
    const { text } = await metrics.scrape(accept);
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: toText(text), encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

const namesIn = (text: string): string[] => [...text.matchAll(/^# TYPE (\S+ \S+)$/gm)].map(([, name = '']) => name);

/** promtool checks the text format alone, in which the name of a counter has its ending. */
const inTextFormat = (text: string): string =>
  text.replace(/^# HELP (\S+) (.*)\n# TYPE \1 counter$/gm, '# HELP $1_total $2\n# TYPE $1_total counter');
