import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer as createHttpServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../src/app/version.ts';
import { openSqliteCatalog } from '../src/catalog/sqlite.ts';
import { isInstalled, startRabbitMq } from '../test/support/start-rabbitmq.ts';

const TRANSFERS = Number(process.env.BENCH_TRANSFERS ?? 5_000);
const CLIENTS = 4;
const CONTENT = Buffer.alloc(10_000, 'pulp-streamer ');

const listen = async (server: Server): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

const fillCatalog = (file: string, feed: string): void => {
  const catalog = openSqliteCatalog(file);
  const importerId = catalog.importers.add({ config: {} }).id;
  const staging = catalog.entries.stage();
  staging.write(
    Array.from({ length: TRANSFERS }, (_, number) => ({
      ...{ path: `/${number}`, importerId, unitId: `unit-${number}`, unitTypeId: 'rpm', url: `${feed}/${number}` },
      ...{ size: CONTENT.length, revision: 1, data: {} },
    })),
  );
  staging.publishAsIs();
  catalog.close();
};

interface Daemon {
  readonly name: string;
  readonly url: string;
  readonly agent: Agent;
  readonly process: ChildProcess;
  /** Milliseconds. */
  readonly took: number[];
}

const startDaemon = async (folder: string, name: string, ...settings: readonly string[]): Promise<Daemon> => {
  const args = ['serve', '--port', '0', '--state-dir', join(folder, name), '--catalog', join(folder, 'catalog.db')];
  const child = spawn(process.execPath, [join(packageRoot, 'src/cli/main.ts'), ...args, ...settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  createInterface(child.stdout).on('line', (line) => {
    const { msg, listening } = JSON.parse(line);
    if (msg === 'ready') resolve(listening[0]);
  });
  const [, port] = / port (\d+)$/.exec(await promise) ?? [];
  const agent = new Agent({ keepAlive: true });
  return { name, url: `http://127.0.0.1:${port}`, agent, process: child, took: [] };
};

const transfer = async ({ url, agent, took }: Daemon, path: string): Promise<void> => {
  const began = performance.now();
  const [response] = (await once(get(url + path, { agent }), 'response')) as [IncomingMessage];
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  if (response.statusCode !== 200 || bytes !== CONTENT.length) throw new Error(`${path}: ${response.statusCode}`);
  took.push(performance.now() - began);
};

/**
 * The cost of save requests for clients: the time from a request to the last byte of its response,
 * for small files. The four daemons differ only in their broker: RabbitMQ, one that refuses
 * connections, one that accepts them and never answers, and none. Requests go to them in turn, so that
 * other load affects them alike. Only the ratio is meaningful. BENCH_TRANSFERS: number of transfers.
 */
export const saves = async (folder: string): Promise<void> => {
  const feed = createHttpServer((_, response) => {
    response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT);
  });
  const silent = createTcpServer((socket) => socket.on('error', () => {}));
  const refusing = createTcpServer();
  const rabbit = isInstalled ? await startRabbitMq() : undefined;
  const daemons: Daemon[] = [];
  try {
    fillCatalog(join(folder, 'catalog.db'), `http://127.0.0.1:${await listen(feed)}`);
    const closed = await listen(refusing);
    refusing.close();
    const celery = ['--dispatch', 'celery', '--broker-url'];
    const ways: readonly (readonly [name: string, ...settings: string[]])[] = [
      ...(rabbit ? [['broker up', ...celery, rabbit.url] as const] : []),
      ['broker down', ...celery, `amqp://127.0.0.1:${closed}`],
      ['broker silent', ...celery, `amqp://127.0.0.1:${await listen(silent)}`],
      ['no save tasks', '--dispatch', 'none'],
    ];
    for (const way of ways) daemons.push(await startDaemon(folder, ...way));

    // Each client requests a path from all of them in turn, and begins with another one each time.
    const client = async (first: number): Promise<void> => {
      for (let number = first; number < TRANSFERS; number += CLIENTS)
        for (let turn = 0; turn < daemons.length; turn += 1)
          await transfer(daemons[(number + turn) % daemons.length] as Daemon, `/${number}`);
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, first) => client(first)));

    process.stdout.write(`\n${TRANSFERS} transfers of ${CONTENT.length} bytes each, ${CLIENTS} at a time, in turns\n`);
    process.stdout.write(`median ms      p99 ms   × p99 of ${daemons[0]?.name}\n`);
    // Without the first tenth: it runs code that is not compiled yet.
    const sorted = daemons.map(({ took }) => took.slice(TRANSFERS / 10).toSorted((a, b) => a - b));
    const at = (times: readonly number[] | undefined, part: number) => times?.[Math.floor(times.length * part)] ?? 0;
    for (const [index, { name }] of daemons.entries()) {
      const p99 = at(sorted[index], 0.99);
      const columns = [at(sorted[index], 0.5), p99].map((time) => time.toFixed(2).padStart(9));
      process.stdout.write(
        `${columns.join('   ')}   ${(p99 / at(sorted[0], 0.99)).toFixed(2).padStart(9)}   ${name}\n`,
      );
    }
  } finally {
    for (const { process: child, agent } of daemons) {
      agent.destroy();
      child.kill();
      await once(child, 'close');
    }
    feed.close();
    silent.close();
    await rabbit?.close();
  }
};
