import { once } from 'node:events';
import { createServer as createHttpServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { isInstalled, startRabbitMq } from '../../test/support/start-rabbitmq.ts';
import type { Scenario } from '../bench.ts';
import { percentile, type Result } from '../contest.ts';
import { type Daemon, startDaemon } from '../daemon.ts';

const CLIENTS = 4;
const CONTENT = Buffer.alloc(10_000, 'pulp-streamer ');

const listen = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

const fillCatalog = (file: string, feed: string, transfers: number): void => {
  const catalog = openSqliteCatalog(file);
  const importerId = catalog.importers.add({ config: {} }).id;
  const staging = catalog.entries.stage();
  staging.write(
    Array.from({ length: transfers }, (_, number) => ({
      ...{ path: `/${number}`, importerId, unitId: `unit-${number}`, unitTypeId: 'rpm', url: `${feed}/${number}` },
      ...{ size: CONTENT.length, revision: 1, data: {} },
    })),
  );
  staging.publishAsIs();
  catalog.close();
};

interface Saving extends Daemon {
  readonly id: string;
  readonly name: string;
  /** Milliseconds. */
  readonly took: number[];
}

type Way = readonly [id: string, name: string, ...settings: string[]];

const transfer = async ({ url, agent, took }: Saving, path: string): Promise<void> => {
  const began = performance.now();
  const [response] = (await once(get(url + path, { agent }), 'response')) as [IncomingMessage];
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  if (response.statusCode !== 200 || bytes !== CONTENT.length) throw new Error(`${path}: ${response.statusCode}`);
  took.push(performance.now() - began);
};

/**
 * What saves cost clients: the time from a request to the last byte of its response, for small
 * files. Four daemons differ in one thing only: the broker that they queue tasks at (RabbitMQ, one
 * that refuses connections, one that accepts them and never answers), or that they save nothing.
 * Requests go to them in turn.
 */
export const saves: Scenario = async (bench) => {
  const { transfers, rounds } = bench.sizes;
  const folder = bench.folder('saves');
  const feed = createHttpServer((_, response) => {
    response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT);
  });
  const silent = createTcpServer((socket) => socket.on('error', () => {}));
  const refusing = createTcpServer();
  const rabbit = isInstalled ? await startRabbitMq() : undefined;
  const daemons: Saving[] = [];
  try {
    const catalog = join(folder, 'catalog.db');
    fillCatalog(catalog, `http://127.0.0.1:${await listen(feed)}`, transfers);
    const closed = await listen(refusing);
    refusing.close();
    const tasks = ['--dispatch', 'celery', '--broker-url'];
    const ways: readonly Way[] = [
      ['no-saves', 'no save tasks', '--dispatch', 'none'],
      ...(rabbit ? [['broker-up', 'broker up', ...tasks, rabbit.url] as const] : []),
      ['broker-down', 'broker down', ...tasks, `amqp://127.0.0.1:${closed}`],
      ['broker-silent', 'broker silent', ...tasks, `amqp://127.0.0.1:${await listen(silent)}`],
    ];
    for (const [id, name, ...settings] of ways) {
      const daemon = await startDaemon(bench, join(folder, id), catalog, settings);
      daemons.push({ ...daemon, id, name, took: [] });
    }

    // Each client asks all of them for a path, one after the other, and each time another one first.
    const client = async (first: number): Promise<void> => {
      for (let number = first; number < transfers; number += CLIENTS)
        for (let turn = 0; turn < daemons.length; turn += 1)
          await transfer(daemons[(number + turn) % daemons.length] as Saving, `/${number}`);
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, first) => client(first)));

    const result = (title: string, of100: number, suffix: string): Result => ({
      title,
      unit: 'ms',
      measured: daemons.map(({ id, name, took }) => ({
        id: id === 'no-saves' ? id : id + suffix,
        name,
        ours: id !== 'no-saves',
        costs: parts(took, rounds).map((times) => percentile(times, of100)),
        also: undefined,
      })),
    });
    return [
      result(`${transfers} transfers of ${CONTENT.length} bytes, ${CLIENTS} clients: half of them within`, 50, '-p50'),
      result('… 99 of 100 within', 99, '-p99'),
    ];
  } finally {
    for (const daemon of daemons) await daemon.stop();
    feed.close();
    silent.close();
    await rabbit?.close();
  }
};

/** N parts of equal length. The first tenth is left out: code that is not compiled yet. */
const parts = (times: readonly number[], count: number): readonly (readonly number[])[] => {
  const warm = times.slice(Math.floor(times.length / 10));
  const length = Math.ceil(warm.length / count);
  return Array.from({ length: count }, (_, part) => warm.slice(part * length, (part + 1) * length));
};
