import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import { lastValueFrom, takeUntil, timer, toArray } from 'rxjs';
import { hasCelery, itWithCelery } from '../support/celery/python.ts';
import { type CeleryWorker, celeryWorkers, EXAMPLE, type Result } from '../support/celery/worker.ts';
import { serveContents, startFeed, type TestFeed } from '../support/feeds.ts';
import { startCollector } from '../support/otlp.ts';
import { freePorts } from '../support/ports.ts';
import { ownEnvironment, processes, succeeded } from '../support/processes.ts';
import { hasBroker, itWithBroker, rabbitMq } from '../support/rabbitmq.ts';
import { type DaemonProcess, MAIN, makeSite } from '../support/site.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { contentsOf, loadUnits, type Unit, unitsNamed } from '../support/units.ts';

const start = processes();
const folder = temporaryFolders();
const broker = rabbitMq();
const startWorker = celeryWorkers();

const UNITS = unitsNamed(['one', 'two', 'many', 'plain', 'traced'], 100_000);
const [ONE, TWO, MANY, PLAIN, TRACED] = UNITS as [Unit, Unit, Unit, Unit, Unit];

let feed: TestFeed;
let port: number;
let worker: CeleryWorker;
beforeAll(async () => {
  if (!hasBroker || !hasCelery) return;
  const serve = serveContents(contentsOf(UNITS));
  feed = await startFeed((request, response) => {
    setTimeout(() => serve(request, response), request.url === MANY.path ? SLOW : 0);
  });
  [port = 0] = await freePorts(1);
  worker = await startWorker(folder(), { BROKER_URL: broker().url, STREAMER_URL: `http://127.0.0.1:${port}` });
});
afterAll(() => feed?.close());

/** Minimum milliseconds to save a unit, so that tasks for it would overlap. */
const SLOW = 300;

const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'rojo=1,congo=2' };

/** The daemon, which sends its tasks to the broker. */
const openSite = async (settings: Readonly<Record<string, string | number>>) => {
  const site = makeSite(start, folder(), { port, dispatch: 'celery', broker_url: broker().url, ...settings });
  await loadUnits(site, feed.url, UNITS);
  return { site, daemon: await site.serve() };
};

const get = async (daemon: DaemonProcess, { path, content }: Unit, headers = {}): Promise<void> => {
  const response = await fetch(daemon.url + path, { headers });
  expect(response.status).toBe(200);
  expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), content)).toBe(0);
};

const resultsFor = (unit: Unit) => (results: readonly Result[]) => results.filter(({ unit_id }) => unit_id === unit.id);

const stored = ({ path }: Unit): Buffer => readFileSync(join(worker.storage, path));

/** Needs both. */
const itWithWorker = hasBroker ? itWithCelery : itWithBroker;

describe('a Celery worker', () => {
  for (const [protocol, unit] of [
    [1, ONE],
    [2, TWO],
  ] as const) {
    itWithWorker(`saves the transferred unit, requested by protocol ${protocol}`, async () => {
      const { site, daemon } = await openSite({ celery_protocol: protocol });
      await get(daemon, unit, TRACE);
      const results = await worker.until((all) => resultsFor(unit)(all).length === 1);
      const [transfer] = await daemon.logged('request', { path: unit.path });
      expect(resultsFor(unit)(results)).toEqual([
        {
          outcome: 'saved',
          unit_id: unit.id,
          path: unit.path,
          task_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          resource: `content_unit:${unit.id}:${unit.path}`,
          tags: [`pulp:content_unit:${unit.id}`, 'pulp:action:download'],
          request_id: transfer?.id,
          ...TRACE,
          options: {},
          began: expect.any(Number),
          ended: expect.any(Number),
        },
      ]);
      expect(Buffer.compare(stored(unit), unit.content)).toBe(0);

      // The worker's own download caused no save request.
      const [, download] = await daemon.logged('request', { path: unit.path }, 2);
      expect(download).toMatchObject({ status: 200 });
      expect(download).not.toHaveProperty('recorded');
      await daemon.logged('save queued', { unit: unit.id });
      expect(JSON.parse(await site.run('saves', 'list', '--json'))).toEqual([]);
      expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
    });
  }

  itWithWorker('continues the trace of the delivery, which is in that of the client', async () => {
    const collector = await startCollector();
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url;
    try {
      const { daemon } = await openSite({ traces: 'yes' });
      await get(daemon, TRACED, TRACE);
      const [result] = resultsFor(TRACED)(await worker.until((all) => resultsFor(TRACED)(all).length === 1));
      expect(await daemon.stop()).toMatchObject({ status: 0, stderr: '' });
      const [, traceId] = TRACE.traceparent.split('-');
      const [save] = await collector.received(
        ({ name, attributes }) => name === 'save' && attributes['url.path'] === TRACED.path,
      );
      const [request] = await collector.received(({ spanId }) => spanId === save?.parentSpanId);
      expect(request).toMatchObject({ name: 'GET', traceId, attributes: { 'url.path': TRACED.path } });
      expect(result).toMatchObject({ traceparent: `00-${traceId}-${save?.spanId}-01`, tracestate: TRACE.tracestate });
    } finally {
      delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
      collector.close();
    }
  });

  itWithWorker(
    'saves a unit once that 20 clients fetch from two streamers at a time, three times over',
    async () => {
      // Each client has a separate transfer and each streamer a separate outbox. Only the
      // reservation separates their tasks.
      const alone = { coalesce_window: 0 };
      const sites = [await openSite(alone), await openSite({ ...alone, port: 0 })];
      const daemons = sites.map(({ daemon }) => daemon);
      for (let round = 1; round <= 3; round += 1) {
        const clients = Array.from({ length: 20 }, (_, number) => daemons[number % 2] as DaemonProcess);
        await Promise.all(clients.map((daemon) => get(daemon, MANY)));
        for (const daemon of daemons) await daemon.logged('save queued', { unit: MANY.id }, round);
      }
      let asked = 0;
      for (const { site, daemon } of sites) {
        while (JSON.parse(await site.run('saves', 'list', '--json')).length > 0);
        // The log is complete: only the worker still needs a streamer.
        const lines = await lastValueFrom(daemon.log.pipe(takeUntil(timer(0)), toArray()));
        asked += lines.filter(({ msg, unit }) => msg === 'save queued' && unit === MANY.id).length;
      }
      expect(asked).toBeGreaterThanOrEqual(6);
      const results = resultsFor(MANY)(await worker.until((all) => resultsFor(MANY)(all).length === asked));
      expect(results.filter(({ outcome }) => outcome === 'saved')).toHaveLength(1);
      expect(new Set(results.map(({ task_id }) => task_id)).size).toBe(asked);
      // The reservation held: no two tasks worked on the unit at a time.
      const inOrder = results.toSorted((a, b) => a.began - b.began);
      for (const [index, { began }] of inOrder.entries())
        expect(began).toBeGreaterThanOrEqual(inOrder[index - 1]?.ended ?? 0);
    },
    90_000,
  );

  itWithWorker('runs a task of another shape, without reservation', async () => {
    const kwargs = '{"feed": "{url}", "kind": "{unit_type_id}"}';
    const { daemon } = await openSite({ task_reservation: 'no', save_task_kwargs: kwargs });
    await get(daemon, PLAIN, { traceparent: 'no trace', tracestate: 'a=1' });
    const [result] = resultsFor(PLAIN)(await worker.until((all) => resultsFor(PLAIN)(all).length === 1));
    expect(result).toMatchObject({
      outcome: 'saved',
      resource: null,
      traceparent: null,
      tracestate: null,
      options: { feed: feed.url + PLAIN.path, kind: 'rpm' },
      request_id: (await daemon.logged('request', { path: PLAIN.path }))[0]?.id,
    });
    await daemon.stop();
  });
});

describe('the README of the example', () => {
  const COMMAND = `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`;

  itWithWorker(
    'lists commands that work',
    async () => {
      const home = folder();
      const saves = join(home, 'saves');
      const [own = 0] = await freePorts(1);
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, 'pulp-streamer'), COMMAND, { mode: 0o755 });
      const { PATH = '', ...others } = ownEnvironment();
      const env = {
        ...others,
        PATH: `${home}:/usr/bin:${PATH}`,
        PYTHONDONTWRITEBYTECODE: '1',
        BROKER_URL: broker().url,
        STREAMER_URL: `http://127.0.0.1:${own}`,
        PULP_STREAMER_BROKER_URL: broker().url,
        PULP_STREAMER_PORT: String(own),
      };
      const typed = readFileSync(join(EXAMPLE, 'README.md'), 'utf8').match(/(?<=^\$ ).*$/gm) ?? [];
      // Nothing continues to run after it, in any case.
      const lines = ['set -eu', "trap 'kill $(jobs -p)' EXIT", ...typed];
      const script = lines.join('\n').replaceAll('/tmp/saves', saves).replaceAll(':8751', `:${own}`);
      const { stdout } = await succeeded(start('timeout', ['50', 'bash', '-c', script], { cwd: EXAMPLE, env }));
      const said = stdout.toString().match(/^\{"outcome".*$/gm) ?? [];
      const path = '/pulp/repos/zoo/Packages/bear-4.1-1.noarch.rpm';
      expect(said.map((line) => JSON.parse(line))).toMatchObject([{ outcome: 'saved', path }]);
    },
    60_000,
  );
});
