import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { askWhole } from '../support/clients.ts';
import { digestOf, someBytes } from '../support/collect.ts';
import { closedPort, startFeed, type TestFeed } from '../support/feeds.ts';
import { temporaryFolders } from '../support/folder.ts';
import { notInstalled } from '../support/not-installed.ts';
import { type Collector, type ReceivedSpan, startCollector } from '../support/otlp.ts';
import { lineOf, processes } from '../support/processes.ts';
import { MAIN } from '../support/site.ts';
import { startWireSite, type WireSite } from '../support/wire.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const CONTEXT = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'rojo=1,congo=2' };
const CONTENT = someBytes(4 << 20);
const CHECKSUM = { algorithm: 'sha256', value: digestOf(CONTENT) } as const;

const folder = temporaryFolders();
let collector: Collector;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  collector = await startCollector();
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url;
  process.env.OTEL_SERVICE_NAME = 'our-streamer';
  // Spans are exported when the daemon stops.
  process.env.OTEL_BSP_SCHEDULE_DELAY = '3600000';
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  collector.close();
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name];
});

/** A feed that breaks the first body that it sends in its middle, and sends parts. */
const startBreaking = async (): Promise<TestFeed> => {
  let broken = false;
  const feed = await startFeed(({ headers: { range } }, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const rest = CONTENT.subarray(from);
    response.writeHead(range ? 206 : 200, {
      ETag: '"1"',
      'Content-Length': rest.length,
      ...(range && { 'Content-Range': `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` }),
    });
    if (broken) return response.end(rest);
    broken = true;
    return response.write(rest.subarray(0, rest.length >> 1), () => response.socket?.resetAndDestroy());
  });
  closing.push(feed.close);
  return feed;
};

const startSite = async (options: SettingOptions = {}): Promise<WireSite & { url: string; stop(): Promise<void> }> => {
  const site = await startWireSite(folder(), { traces: true, retryWait: 0.01, ...options });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= site.daemon.stop();
    return stopped;
  };
  closing.push(stop);
  return { ...site, stop, url: `http://127.0.0.1:${site.daemon.addresses[0]?.port}` };
};

const named =
  (name: string) =>
  ({ name: own }: ReceivedSpan): boolean =>
    own === name;
const requestLine = ({ log }: WireSite) => log.find(({ msg }) => msg === 'request');

describe('traces', () => {
  it('have a span for a request below that of its client, and one for each of its attempts', async () => {
    const feed = await startBreaking();
    const site = await startSite();
    const dead = `http://127.0.0.1:${await closedPort()}/a`;
    site.list('/a', [dead, `${feed.url}/a`], { checksum: CHECKSUM, size: CONTENT.length });
    expect((await askWhole(`${site.url}/a`, CONTEXT)).sha256).toBe(CHECKSUM.value);
    await site.stop();

    const [request] = collector.spans.filter(named('GET'));
    expect(request).toMatchObject({
      ...{ traceId: TRACE, parentSpanId: PARENT, traceState: CONTEXT.tracestate, kind: 2, status: { code: 0 } },
      resource: { 'service.name': 'our-streamer' },
      attributes: {
        'http.request.method': 'GET',
        'url.path': '/a',
        'http.response.status_code': 200,
        'http.response.body.size': CONTENT.length,
        'pulp_streamer.outcome': 'complete',
        'pulp_streamer.verified': 'sha256',
      },
    });
    expect(request?.events.map(({ name }) => name)).toEqual([
      ...['found', 'head', 'first-byte', 'resumed', 'recorded', 'verified'],
    ]);
    const attempts = collector.spans.filter(named('attempt'));
    const failures = attempts.map(({ attributes }) => attributes['error.type']);
    expect(failures.filter((code) => code === 'CONNECT_FAILED').length).toBeGreaterThan(0);
    expect(failures.filter((code) => code === 'CONNECTION_LOST')).toHaveLength(1);
    expect(failures.at(-1)).toBeUndefined();
    for (const { traceId, parentSpanId, began, ended, status, attributes } of attempts) {
      expect({ traceId, parentSpanId }).toEqual({ traceId: TRACE, parentSpanId: request?.spanId });
      expect(began >= (request?.began ?? 0n) && began <= ended && ended <= (request?.ended ?? 0n)).toBe(true);
      expect(status.code).toBe(attributes['error.type'] === undefined ? 0 : 2);
    }
    const last = attempts.at(-1)?.attributes;
    expect(last).toMatchObject({ 'server.address': '127.0.0.1', 'pulp_streamer.from_byte': expect.any(Number) });
    expect(Number(last?.['pulp_streamer.from_byte'])).toBeGreaterThan(0);
    expect(requestLine(site)).toMatchObject({ trace_id: TRACE, span_id: request?.spanId });
  });

  it('have a span for the delivery of the save request, below that of the request', async () => {
    const feed = await startFeed((_, response) => response.end('content'));
    closing.push(feed.close);
    const site = await startSite();
    site.list('/a', [`${feed.url}/a`]);
    await askWhole(`${site.url}/a`);
    const delivered = new Promise((resolve) => site.daemon.streamer.deliveries.subscribe(resolve));
    if (!site.log.some(({ msg }) => msg === 'saved')) await delivered;
    await site.stop();
    const [request] = collector.spans.filter(named('GET'));
    const [save] = collector.spans.filter(named('save'));
    expect(request?.parentSpanId).toBeUndefined();
    expect(save).toMatchObject({ traceId: request?.traceId, parentSpanId: request?.spanId, status: { code: 0 } });
    expect(site.log.find(({ msg }) => msg === 'saved')).toMatchObject({ trace_id: request?.traceId });
  });

  it('begin and end with a reload; a request under way keeps its span', async () => {
    const asked = Promise.withResolvers<() => void>();
    const feed = await startFeed(({ url }, response) =>
      url === '/under-way' ? asked.resolve(() => response.end('bytes')) : response.end('bytes'),
    );
    closing.push(feed.close);
    const site = await startSite({ traces: false });
    for (const path of ['/before', '/on', '/under-way', '/off']) site.list(path, [`${feed.url}${path}`]);
    await askWhole(`${site.url}/before`);
    expect((await site.reload({ traces: true })).applied).toEqual(['traces']);
    await askWhole(`${site.url}/on`);
    const underWay = askWhole(`${site.url}/under-way`);
    const answer = await asked.promise;
    expect((await site.reload({ traces: false })).applied).toEqual(['traces']);
    await askWhole(`${site.url}/off`);
    answer();
    await underWay;
    await site.stop();
    const paths = collector.spans.map(({ attributes }) => attributes['url.path']).filter((path) => path !== undefined);
    expect([...new Set(paths)]).toEqual(['/on', '/under-way']);
    expect(site.log.filter(({ msg }) => msg === 'request').map(({ trace_id }) => trace_id !== undefined)).toEqual([
      ...[false, true, false],
      true,
    ]);
  });

  it('have a span for input that is refused', async () => {
    const site = await startSite();
    await site.ask('/a', { method: 'POST' });
    await site.ask('/unknown');
    await site.stop();
    expect(
      collector.spans.map(({ name, status, attributes }) => [name, status.code, attributes['error.type']]),
    ).toEqual([
      ['POST', 0, 'METHOD_NOT_ALLOWED'],
      ['GET', 0, 'NOT_IN_CATALOG'],
    ]);
  });

  it('are sampled as the environment says; what is not sampled keeps its context', async () => {
    process.env.OTEL_TRACES_SAMPLER = 'parentbased_always_off';
    const site = await startSite();
    await askWhole(`${site.url}/unknown`);
    await askWhole(`${site.url}/unknown`, { traceparent: CONTEXT.traceparent });
    await site.stop();
    expect(collector.spans.map(({ traceId }) => traceId)).toEqual([TRACE]);
    expect(site.log.filter(({ msg }) => msg === 'request').map(({ trace_id }) => trace_id)).toEqual([
      expect.stringMatching(/^[0-9a-f]{32}$/),
      TRACE,
    ]);
  });

  it('cost no request anything if the collector is away', async () => {
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${await closedPort()}`;
    process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '100';
    const site = await startSite();
    expect((await askWhole(`${site.url}/unknown`)).status).toBe(404);
    await site.stop();
    expect(site.log.map(({ msg }) => msg)).toContain('traces incomplete, serving continues');
  });
});

describe('OpenTelemetry', () => {
  const start = processes();
  /** As if it were not installed. */
  const LACKING = notInstalled('@opentelemetry/');

  it.each(['serve', 'check-config'])('%s says what is to be installed, if it is not', async (command) => {
    const args = ['--import', LACKING, MAIN, command, '--port', '0', '--state-dir', folder(), '--config', '/dev/null'];
    const { status, stderr } = await start(process.execPath, [...args, '--traces', 'yes']).ended;
    expect(status).toBe(78);
    const packages = ['sdk-trace', 'exporter-trace-otlp-http', 'resources'].map((name) => `@opentelemetry/${name}`);
    expect(stderr).toContain(`traces: OpenTelemetry is not installed; expected npm install ${packages.join(' ')}`);
  });

  it('is not needed, and not loaded, without traces', async () => {
    const args = ['--import', LACKING, MAIN, 'check-config', '--config', '/dev/null', '--state-dir', folder()];
    expect(await start(process.execPath, args).ended).toMatchObject({ status: 0 });
    const serve = start(process.execPath, ['--import', LACKING, MAIN, 'serve', '--port', '0', ...args.slice(4)]);
    await lineOf(serve, (line) => line.includes('"msg":"ready"'));
  });
});

describe('the trace context of a request', () => {
  it.each([
    ['of its own span, with traces', true],
    ['of its client, without', false],
  ])('is passed to the feeds that may have it, and to no other: %s', async (_, traces) => {
    const feed = await startFeed((_, response) => response.end('content'));
    closing.push(feed.close);
    const site = await startSite({ traces, traceFeeds: 'localhost' });
    site.list('/ours', [feed.url.replace('127.0.0.1', 'localhost')]);
    site.list('/foreign', [feed.url]);
    for (const path of ['/ours', '/foreign']) await askWhole(site.url + path, CONTEXT);
    await site.stop();
    const [ours, foreign] = feed.requests.map(({ headers: { traceparent, tracestate } }) => ({
      traceparent,
      tracestate,
    }));
    const [span] = collector.spans.filter(named('GET'));
    const traceparent = traces ? `00-${TRACE}-${span?.spanId}-01` : CONTEXT.traceparent;
    expect(ours).toEqual({ traceparent, tracestate: CONTEXT.tracestate });
    expect(foreign).toEqual({});
  });

  it('is not passed to the place that a feed redirects to', async () => {
    const other = await startFeed((_, response) => response.end('content'));
    const feed = await startFeed((_, response) => response.writeHead(302, { Location: `${other.url}/b` }).end());
    closing.push(other.close, feed.close);
    const site = await startSite({ traces: false, traceFeeds: 'localhost' });
    site.list('/a', [`${feed.url.replace('127.0.0.1', 'localhost')}/a`]);
    expect((await askWhole(`${site.url}/a`, CONTEXT)).status).toBe(200);
    expect(feed.requests[0]?.headers.traceparent).toBe(CONTEXT.traceparent);
    expect(other.requests[0]?.headers.traceparent).toBeUndefined();
  });
});
