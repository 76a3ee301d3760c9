/**
 * What a large body costs the process that relays it, in CPU seconds per GiB: pulp-streamer with and without a checksum to verify,
 * against Node's own `http.request` and `pipeline`, and nginx where it is installed. Rounds are interleaved, medians are told, and the
 * ratio to Node's own is what counts: single figures depend on the machine and on whoever else uses it.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openSqliteCatalog } from '../src/catalog/sqlite.ts';
import { packageRoot } from '../src/package.ts';

const SIZE = Number(process.env.BENCH_BYTES ?? 256 * 1024 * 1024);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const BLOCK = Buffer.alloc(256 * 1024, 'pulp-streamer ');

/** A feed of one large file, made of one block over and over, so that the feed costs as little as possible. */
const startFeed = async (): Promise<{ url: string; sha256: string; close: () => void }> => {
  const hash = createHash('sha256');
  for (let at = 0; at < SIZE; at += BLOCK.length) hash.update(BLOCK);
  const server = createServer((_, res) => {
    res.writeHead(200, { 'Content-Length': SIZE });
    let left = SIZE / BLOCK.length;
    const push = () => {
      while (left > 0) {
        left -= 1;
        if (!res.write(BLOCK)) return;
      }
      res.end();
    };
    res.on('drain', push);
    push();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, sha256: hash.digest('hex'), close: () => server.close() };
};

const freePort = async (): Promise<number> => {
  const server = createNetServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

const answers = async (url: string): Promise<void> => {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    get(url, { method: 'HEAD' }, (res) => resolve(res.resume() !== undefined)).on('error', () => resolve(false));
    if (await promise) return;
  }
};

const download = async (url: string): Promise<void> => {
  const [res] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
  let bytes = 0;
  res.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(res, 'end');
  if (res.statusCode !== 200 || bytes !== SIZE) throw new Error(`${url}: ${res.statusCode}, ${bytes} bytes`);
};

/** CPU seconds that a process, or all processes below it, used so far; a tick is 10 ms. */
const cpuOf = (pid: number): number => {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100 + children.reduce((sum, child) => sum + cpuOf(child), 0);
};

interface Relay {
  readonly name: string;
  readonly url: string;
  readonly process: ChildProcess;
}

const startStreamer = async (folder: string, feed: string, sha256: string): Promise<Relay[]> => {
  const catalog = openSqliteCatalog(join(folder, 'catalog.db'));
  const importerId = catalog.importers.add({ config: {} }).id;
  const common = { importerId, unitTypeId: 'iso', url: `${feed}/big`, size: SIZE, data: {} };
  const checksum = { algorithm: 'sha256', value: sha256 } as const;
  catalog.entries.add({ ...common, path: '/verified', unitId: 'a', checksum });
  catalog.entries.add({ ...common, path: '/unverified', unitId: 'b' });
  catalog.close();
  const port = await freePort();
  const args = ['serve', '--port', `${port}`, '--state-dir', folder, '--dispatch', 'none', '--log-level', 'ERROR'];
  const child = spawn(process.execPath, [join(packageRoot, 'src/cli/main.ts'), ...args], { stdio: 'inherit' });
  const url = `http://127.0.0.1:${port}`;
  await answers(`${url}/verified`);
  return [
    { name: 'pulp-streamer, sha256 verified', url: `${url}/verified`, process: child },
    { name: 'pulp-streamer, no checksum', url: `${url}/unverified`, process: child },
  ];
};

const startPlain = async (folder: string, feed: string): Promise<Relay> => {
  const port = await freePort();
  const file = join(folder, 'plain.mjs');
  writeFileSync(
    file,
    `import { createServer, get } from 'node:http';
     import { pipeline } from 'node:stream';
     createServer((_, res) => get('${feed}/big', (from) => {
       res.writeHead(200, { 'Content-Length': from.headers['content-length'] });
       pipeline(from, res, () => {});
     })).listen(${port}, '127.0.0.1');`,
  );
  const child = spawn(process.execPath, [file], { stdio: 'inherit' });
  const url = `http://127.0.0.1:${port}/`;
  await answers(url);
  return { name: 'Node: http.request and pipeline', url, process: child };
};

const startNginx = async (folder: string, feed: string): Promise<Relay[]> => {
  if (spawnSync('nginx', ['-v']).status !== 0) return [];
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr crit; events {}
     http { access_log off; client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b; fastcgi_temp_path ${folder}/c;
       uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
       server { listen 127.0.0.1:${port}; location / { proxy_pass ${feed}; proxy_http_version 1.1; proxy_max_temp_file_size 0; } } }`,
  );
  const child = spawn('nginx', ['-c', file, '-p', folder], { stdio: 'inherit' });
  const url = `http://127.0.0.1:${port}/big`;
  await answers(url);
  return [{ name: 'nginx, buffering on', url, process: child }];
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const main = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-bench-'));
  const feed = await startFeed();
  const plain = await startPlain(folder, feed.url);
  const relays = [
    plain,
    ...(await startStreamer(folder, feed.url, feed.sha256)),
    ...(await startNginx(folder, feed.url)),
  ];
  try {
    const spent = new Map(relays.map(({ name }) => [name, [] as number[]]));
    for (const { url } of relays) await download(url);
    for (let round = 0; round < ROUNDS; round++)
      for (const {
        name,
        url,
        process: { pid = 0 },
      } of relays) {
        const before = cpuOf(pid);
        await download(url);
        spent.get(name)?.push(((cpuOf(pid) - before) * 1024 ** 3) / SIZE);
      }
    const base = median(spent.get(plain.name) ?? []);
    const [cpu] = cpus();
    process.stdout.write(`${cpu?.model.trim()}, ${cpus().length} cores, Node ${process.version}\n`);
    process.stdout.write(`a body of ${SIZE >> 20} MiB, ${ROUNDS} interleaved rounds, medians\n`);
    process.stdout.write("CPU s/GiB   × Node's own\n");
    for (const [name, values] of spent)
      process.stdout.write(
        `${median(values).toFixed(2).padStart(9)}   ${(median(values) / base).toFixed(2).padStart(12)}   ${name}\n`,
      );
  } finally {
    for (const child of new Set(relays.map((relay) => relay.process))) child.kill();
    feed.close();
    rmSync(folder, { recursive: true });
  }
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
