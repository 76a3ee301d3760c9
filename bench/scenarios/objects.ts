import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { ACCESS, BUCKET, s3Binary, startS3 } from '../../test/support/start-s3.ts';
import type { Scenario } from '../bench.ts';
import { median, type Result } from '../contest.ts';
import { type Daemon, startDaemon } from '../daemon.ts';

const SMALL = Buffer.alloc(10_000, 'pulp-streamer ');

interface Saving extends Daemon {
  readonly id: string;
  readonly name: string;
}

/** Milliseconds of a response, which must be right. `hit`: whether it came from a copy. */
const ask = async ({ url, agent }: Saving, path: string, length: number) => {
  const began = performance.now();
  const [response] = (await once(get(url + path, { agent }), 'response')) as [IncomingMessage];
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  if (response.statusCode !== 200 || bytes !== length) throw new Error(`${path}: ${response.statusCode}`);
  return { took: performance.now() - began, hit: String(response.headers['cache-status']).endsWith(';hit') };
};

/** Asks until a copy answers. */
const saved = async (daemon: Saving, path: string, length: number): Promise<void> => {
  while (!(await ask(daemon, path, length)).hit) await setTimeout(10);
};

/**
 * What an object store costs, compared with a folder: the response that is saved at the same time, and
 * the one that a copy serves. Two daemons differ in where they keep copies only. The store is on the same
 * machine, so its own work counts as well, and no network does.
 */
export const objects: Scenario = async (bench) => {
  const { transfers, rounds, bytes } = bench.sizes;
  if (!s3Binary) return [];
  const folder = bench.folder('objects');
  const large = Buffer.alloc(bytes, 'a large file ');
  const feed = createServer(({ url }, response) => {
    const content = url === '/large' ? large : SMALL;
    response.writeHead(200, { 'Content-Length': content.length }).end(content);
  });
  feed.listen(0, '127.0.0.1');
  await once(feed, 'listening');
  const store = await startS3(bench.folder('objects-store'));
  const daemons: Saving[] = [];
  try {
    const catalog = join(folder, 'catalog.db');
    const from = `http://127.0.0.1:${(feed.address() as AddressInfo).port}`;
    const entries = openSqliteCatalog(catalog);
    const importerId = entries.importers.add({ config: {} }).id;
    const staging = entries.entries.stage();
    const names = [...Array.from({ length: transfers }, (_, number) => `/${number}`), '/large'];
    staging.write(
      names.map((path) => {
        const content = path === '/large' ? large : SMALL;
        const checksum = { algorithm: 'sha256', value: hash('sha256', content) } as const;
        return {
          ...{ path, importerId, unitId: path, unitTypeId: 'rpm', url: from + path },
          ...{ checksum, size: content.length, revision: 1, data: {} },
        };
      }),
    );
    staging.publishAsIs();
    entries.close();

    Object.assign(process.env, {
      AWS_ACCESS_KEY_ID: ACCESS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ACCESS.secretAccessKey,
    });
    const bucket = ['--save-url', `s3://${BUCKET}/bench`, '--save-endpoint', `http://127.0.0.1:${store.port}`];
    for (const [id, name, ...settings] of [
      ['folder', 'copies in a folder'],
      ['bucket', 'copies in a bucket', ...bucket],
    ] as const)
      daemons.push({ ...(await startDaemon(bench, join(folder, id), catalog, settings)), id, name });

    /** The costs of each daemon, which are asked in turn: N numbers from as many parts of the paths. */
    const measured = async (title: string, suffix: string, paths: readonly string[]): Promise<Result> => {
      const took = daemons.map((): number[] => []);
      for (const [index, path] of paths.entries())
        for (let turn = 0; turn < daemons.length; turn += 1) {
          const which = (index + turn) % daemons.length;
          const length = path === '/large' ? large.length : SMALL.length;
          took[which]?.push((await ask(daemons[which] as Saving, path, length)).took);
        }
      const size = Math.ceil(paths.length / rounds);
      return {
        title,
        unit: 'ms',
        measured: daemons.map(({ id, name }, which) => ({
          id: id === 'folder' ? id : id + suffix,
          ...{ name, ours: id !== 'folder', also: undefined },
          costs: Array.from({ length: rounds }, (_, part) =>
            median((took[which] ?? []).slice(part * size, (part + 1) * size)),
          ),
        })),
      };
    };
    const small = names.slice(0, -1);
    const results = [
      await measured(`${transfers} files of ${SMALL.length} bytes, each saved: median`, '-saved', small),
    ];
    for (const daemon of daemons) for (const path of small) await saved(daemon, path, SMALL.length);
    results.push(await measured('… served from a copy: median', '-served', small));
    for (const daemon of daemons) await saved(daemon, '/large', large.length);
    const again = Array.from({ length: rounds }, () => '/large');
    results.push(await measured(`a file of ${large.length} bytes, served from a copy`, '-large', again));
    return results;
  } finally {
    for (const daemon of daemons) await daemon.stop();
    feed.close();
    await store.close();
  }
};
