import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../src/app/version.ts';
import { openSqliteCatalog } from '../src/catalog/sqlite.ts';
import { BLOCK, digestOf, type Feeds, sizeOf } from './feed.ts';
import type { Places } from './plain.ts';
import { type ServerProcess, startServer } from './processes.ts';

/** The origin of a relay's content: `http` and `https` a feed, `file` a folder. */
export type Place = 'http' | 'https' | 'file';

/** Names of files that will be requested. */
export interface Content {
  /** Only in the feeds. */
  readonly inFeeds?: readonly string[];
  /** Also in the folder. */
  readonly onDisk?: readonly string[];
}

/** A server that relays `/PLACE/NAME`. */
export interface Relay extends ServerProcess {
  readonly name: string;
}

export interface Relays {
  readonly plain: Relay;
  readonly streamer: Relay;
  /** Absent if it is not installed. */
  readonly nginx?: Relay;
  stop(): Promise<void>;
}

/** Starts all relays. The streamer has each file also as `/PLACE/NAME/verified`. */
export const startRelays = async (
  folder: string,
  feeds: Feeds,
  { inFeeds = [], onDisk = [] }: Content,
): Promise<Relays> => {
  const places = prepare(folder, feeds, onDisk);
  const plain = { name: 'Node: http.request and pipeline', ...(await startPlain(places)) };
  const streamer = { name: 'pulp-streamer', ...(await startStreamer(folder, feeds, places, [...inFeeds, ...onDisk])) };
  const nginx = await startNginx(folder, places);
  const all = [plain, streamer, ...(nginx ? [nginx] : [])];
  return {
    plain,
    streamer,
    ...(nginx && { nginx }),
    stop: async () => {
      await Promise.all(all.map((relay) => relay.stop()));
    },
  };
};

const prepare = (folder: string, feeds: Feeds, names: readonly string[]): Places => {
  const files = join(folder, 'files');
  mkdirSync(files);
  for (const name of names) {
    const fd = openSync(join(files, name), 'w');
    for (let left = sizeOf(name); left > 0; left -= BLOCK.length) writeSync(fd, BLOCK, 0, Math.min(left, BLOCK.length));
    closeSync(fd);
  }
  const pem = (name: string, text: string) => {
    const file = join(folder, `${name}.pem`);
    writeFileSync(file, text);
    return file;
  };
  const { http, https, ca, client } = feeds;
  return { http, https, files, ca: pem('ca', ca), cert: pem('cert', client.cert), key: pem('key', client.key) };
};

const startPlain = (places: Places): Promise<ServerProcess> =>
  startServer((port) => [process.execPath, join(packageRoot, 'bench/plain.ts'), String(port), JSON.stringify(places)]);

const startStreamer = async (
  folder: string,
  { http, https, ca, client }: Feeds,
  { files }: Places,
  names: readonly string[],
): Promise<ServerProcess> => {
  const catalog = openSqliteCatalog(join(folder, 'catalog.db'));
  const config = { ssl_ca_cert: ca, ssl_client_cert: client.cert, ssl_client_key: client.key };
  const importerId = catalog.importers.add({ config }).id;
  const bases: Record<Place, string> = { http, https, file: pathToFileURL(files).href };
  const digests = new Map([...new Set(names.map(sizeOf))].map((size) => [size, digestOf(size)]));
  for (const name of names) {
    const size = sizeOf(name);
    const checksum = { algorithm: 'sha256', value: digests.get(size) ?? '' } as const;
    for (const [place, base] of Object.entries(bases)) {
      const path = `/${place}/${name}`;
      const common = { importerId, unitTypeId: 'iso', url: `${base}/${name}`, size, data: {} };
      catalog.entries.add({ ...common, path, unitId: path });
      catalog.entries.add({ ...common, path: `${path}/verified`, unitId: `${path}/verified`, checksum });
    }
  }
  catalog.close();
  const options = ['--state-dir', folder, '--dispatch', 'none', '--log-level', 'ERROR'];
  return startServer((port) => [
    process.execPath,
    join(packageRoot, 'src/cli/main.ts'),
    'serve',
    '--port',
    String(port),
    ...options,
  ]);
};

const startNginx = async (
  folder: string,
  { http, https, files, ca, cert, key }: Places,
): Promise<Relay | undefined> => {
  const { status, stderr } = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  if (status !== 0) return undefined;
  const { uid } = statSync(folder);
  const config = (port: number) => `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr crit;
    ${uid === 0 ? 'user root;' : ''} events { worker_connections 4096; }
    http { access_log off; sendfile on; client_body_temp_path ${folder}/a; proxy_temp_path ${folder}/b;
      fastcgi_temp_path ${folder}/c; uwsgi_temp_path ${folder}/d; scgi_temp_path ${folder}/e;
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_max_temp_file_size 0; proxy_buffers 16 64k; proxy_buffer_size 64k;
      upstream plain { server ${new URL(http).host}; keepalive 64; }
      upstream tls { server 127.0.0.1:${new URL(https).port}; keepalive 64; }
      server { listen 127.0.0.1:${port};
        location /http/ { proxy_pass http://plain/; }
        location /https/ { proxy_pass https://tls/; proxy_ssl_certificate ${cert}; proxy_ssl_certificate_key ${key};
          proxy_ssl_trusted_certificate ${ca}; proxy_ssl_verify on; proxy_ssl_name localhost; }
        location /file/ { alias ${files}/; } } }`;
  const server = await startServer((port) => {
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, config(port));
    return ['nginx', '-c', file, '-p', folder];
  });
  return { name: stderr.trim().replace('nginx version: ', ''), ...server };
};
