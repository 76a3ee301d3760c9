import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { importZoo, setStage } from '../../src/cli/demo/stage.ts';
import { askWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { closedPort, startFeed } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { freePorts } from '../support/ports.ts';
import { processes, succeeded } from '../support/processes.ts';
import { startPrometheus } from '../support/prometheus.ts';
import { itNeeding } from '../support/repositories.ts';
import { shipped } from '../support/shipped.ts';
import { until } from '../support/until.ts';
import { startWireSite } from '../support/wire.ts';

const start = processes();
const folder = temporaryFolders();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

const itPrometheus = itNeeding(['prometheus', 'promtool']);
const EXAMPLES = 'examples/prometheus';
const DASHBOARD: { readonly panels: readonly Panel[] } = JSON.parse(
  readFileSync('examples/grafana/pulp-streamer.json', 'utf8'),
);
interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

/** The queries of the dashboard, as Grafana sends them for all streamers. */
const QUERIES = DASHBOARD.panels.flatMap(({ targets = [] }) =>
  targets.map(({ expr }) => expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m')),
);
const ALERTS = [...shipped('prometheus/alerts.yml', {}).matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);

/** A feed that breaks the first body that it sends in its middle, and sends parts. */
const startBreaking = async (content: Buffer) => {
  let broken = false;
  const feed = await startFeed((request, response) => {
    const [, from = '0'] = /^bytes=(\d+)-$/.exec(request.headers.range ?? '') ?? [];
    const rest = content.subarray(Number(from));
    response.writeHead(request.headers.range ? 206 : 200, {
      ETag: '"1"',
      'Content-Length': rest.length,
      ...(request.headers.range && {
        'Content-Range': `bytes ${from}-${content.length - 1}/${content.length}`,
      }),
    });
    if (broken) return response.end(rest);
    broken = true;
    return response.write(rest.subarray(0, rest.length >> 1), () => response.socket?.resetAndDestroy());
  });
  closing.push(feed.close);
  return feed;
};

/** A daemon to which everything happens that the dashboard shows. */
const startEventfulDaemon = async (adminPort: number) => {
  const own = folder();
  const stage = await setStage(own);
  closing.push(stage.feed.close);
  const { daemon, list } = await startWireSite(join(own, 'state'), {
    ...{ adminPort, contentSourcesDir: join(own, 'sources'), saveLimit: '1G', retryWait: 0.01, cooldown: 600 },
  });
  closing.push(daemon.stop);
  const { catalog } = daemon.streamer;
  await importZoo(catalog, stage);
  const [importer] = catalog.importers.list();
  const now = Date.now() / 1000;
  catalog.repositories.save({
    ...{ prefix: '/zoo', importerId: importer?.id ?? '', format: 'yum', base: stage.feed.url, selection: {} },
    ...{ strict: false, every: 86_400, packages: 30, metadata: 8, succeeded: now, attempted: now },
  });

  const content = someBytes(4 << 20);
  const sha256 = digestOf(content);
  const checksum = { algorithm: 'sha256', value: sha256 } as const;
  const breaking = await startBreaking(content);
  list('/broken', [`${breaking.url}/a`], { checksum, size: content.length });
  list('/elsewhere', [`http://127.0.0.1:${await closedPort()}/a`, `${breaking.url}/b`], { checksum });
  list('/wrong', [`${breaking.url}/c`], { checksum: { algorithm: 'sha256', value: digestOf(Buffer.from('other')) } });

  const url = `http://127.0.0.1:${daemon.addresses[0]?.port}`;
  for (const path of ['/broken', '/elsewhere', '/broken']) expect((await askWhole(url + path)).sha256).toBe(sha256);
  for (const path of ['/zoo/repodata/repomd.xml', '/zoo/Packages/owl-0.6-1.noarch.rpm'])
    expect((await askWhole(url + path)).status).toBe(200);
  expect((await askWhole(`${url}/unknown`)).status).toBe(404);
  await expect(askWhole(`${url}/wrong`)).rejects.toThrow();
};

describe('Prometheus as shipped', () => {
  itPrometheus('scrapes the daemon, and each query of the dashboard finds something', async () => {
    const [adminPort = 0] = await freePorts(1);
    await startEventfulDaemon(adminPort);
    const { query, api } = await startPrometheus(start, join(folder(), 'prometheus'), adminPort);

    const figure = async (expression: string) => Number((await query(expression))[0]?.value[1] ?? Number.NaN);
    await until(async () => (await figure('up{job="pulp-streamer"}')) === 1);
    expect(await figure('pulp_streamer_resumes_total')).toBeGreaterThanOrEqual(1);
    expect(await figure('pulp_streamer_failovers_total')).toBeGreaterThanOrEqual(1);
    expect(await figure('pulp_streamer_wrong_checksums_total')).toBe(1);
    expect(await figure('pulp_streamer_sources_cooling')).toBeGreaterThanOrEqual(1);
    expect(await figure('pulp_streamer_requests_total{outcome="complete",status="200"}')).toBe(5);

    expect(QUERIES.length).toBeGreaterThan(40);
    let empty: readonly string[] = QUERIES;
    await until(async () => {
      const results = await Promise.all(empty.map(query));
      empty = empty.filter((_, index) => results[index]?.length === 0);
      return empty.length === 0;
    });

    const { groups } = (await api('rules')) as {
      groups: readonly { rules: readonly { name: string; health: string; lastError?: string }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    await until(async () => JSON.stringify(await api('rules')).includes('"health":"unknown"') === false);
    expect(rules.map(({ name }) => name)).toEqual(ALERTS);
    expect(rules.filter(({ health, lastError }) => health === 'err' || lastError !== undefined)).toEqual([]);
  });

  itPrometheus('has valid files, and every alert fires for the sick and not for the well', async () => {
    await succeeded(start('promtool', ['check', 'config', `${EXAMPLES}/prometheus.yml`]));
    await succeeded(start('promtool', ['check', 'rules', `${EXAMPLES}/alerts.yml`]));
    await succeeded(start('promtool', ['test', 'rules', `${EXAMPLES}/alerts_test.yml`]));
  });

  it('has a test and a paragraph on what to do for every alert', () => {
    const tests = readFileSync(`${EXAMPLES}/alerts_test.yml`, 'utf8');
    const page = readFileSync('docs/how-to/monitor.md', 'utf8');
    expect([...tests.matchAll(/alertname: (\w+)/g)].map(([, name]) => name)).toEqual(ALERTS);
    expect([...page.matchAll(/^### (PulpStreamer\w+)$/gm)].map(([, name]) => name)).toEqual(ALERTS);
    const alerts = shipped('prometheus/alerts.yml', {});
    expect([...alerts.matchAll(/monitor\.md#(\w+)$/gm)].map(([, anchor]) => anchor)).toEqual([
      // In the comment at the top there is another one, with hyphens.
      ...ALERTS.map((name) => name.toLowerCase()),
    ]);
  });
});
