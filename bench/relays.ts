import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../src/app/version.ts';
import { openSqliteCatalog } from '../src/catalog/sqlite/catalog.ts';
import { contentOf, digestOf } from './content.ts';
import { NO_FILE, type ServerOptions, type ServerProcess, startServer } from './machine.ts';
import type { Origin } from './origin.ts';

/**
 * Where a relay takes a file from, as the first segment of its path. `http` and `https`: the feeds.
 * `file`: a folder. `kept`: the feed, with a copy kept for the next time. `verified`: the feed, with
 * a checksum in the catalog; only the product has it.
 */
export type Route = 'http' | 'https' | 'file' | 'kept' | 'verified';

/** A file as a client requests it. */
export interface Asked {
  readonly url: string;
  /** Its length and content follow from this. */
  readonly name: string;
}

/** A server that relays files. */
export interface Relay extends ServerProcess {
  /** As in ratios. */
  readonly id: string;
  readonly name: string;
  readonly routes: readonly Route[];
  /** The next path that nobody has requested. Throws if the product’s catalog has no more. */
  fresh(route: Route, size: number): Asked;
}

export interface Relays {
  /** All except the product; nginx comes first if it is installed, Node otherwise. */
  readonly peers: readonly Relay[];
  /** The product, which saves nothing. */
  readonly streamer: Relay;
  /** The product as shipped: it keeps copies. */
  readonly keeping: Relay;
  stop(): Promise<void>;
}

/** How many fresh paths the product’s catalog has of a route and a size. */
export interface Supply {
  readonly route: Route;
  readonly size: number;
  readonly count: number;
}

export interface RelayOptions {
  readonly folder: string;
  readonly origin: Origin;
  readonly core: number | undefined;
  /** The product’s script. */
  readonly main: string;
  readonly supplies: readonly Supply[];
  /** Files on disk, by their size. */
  readonly disk: ReadonlyMap<number, number>;
  /** Clients at the same time, if they are more than a thousand. */
  readonly clients?: number;
}

/** Starts all relays that are installed. */
export const startRelays = async (options: RelayOptions): Promise<Relays> => {
  const files = join(options.folder, 'files');
  mkdirSync(files);
  for (const [size, count] of options.disk)
    for (let number = 0; number < count; number += 1) writeFile(join(files, diskName(size, number)));
  const running: Relay[] = [];
  const started = async <T extends Relay | undefined>(starting: Promise<T>): Promise<T> => {
    const relay = await starting;
    if (relay) running.push(relay);
    return relay;
  };
  const stop = async () => {
    await Promise.all(running.map((relay) => relay.stop()));
  };
  try {
    const node = await started(startNode(options, files));
    const undici = await started(startUndici(options));
    const fastify = await started(startFastify(options));
    const nginx = await started(startNginx(options, files));
    const haproxy = await started(startHaproxy(options));
    const streamer = await started(startStreamer(options, files, 'ours', ['--dispatch', 'none']));
    const keeping = await started(startStreamer(options, files, 'keeping', []));
    return {
      peers: [nginx, node, undici, fastify, haproxy].filter((relay) => relay !== undefined),
      streamer,
      keeping,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

const diskName = (size: number, number: number): string => `${size}-disk-${number}`;

const writeFile = (file: string): void => {
  writeFileSync(file, '');
  for (const piece of contentOf(file.slice(file.lastIndexOf('/') + 1))) writeFileSync(file, piece, { flag: 'a' });
};

/** Adds the names to a server. `supply` throws if there is no file of this number. */
const relayOf = (
  server: ServerProcess,
  own: Pick<Relay, 'id' | 'name' | 'routes'>,
  options: RelayOptions,
  supply: (route: Route, size: number, number: number) => void = () => {},
): Relay => {
  const next = new Map<string, number>();
  return {
    ...server,
    ...own,
    fresh: (route, size) => {
      const kind = `${route} ${size}`;
      const number = next.get(kind) ?? 0;
      next.set(kind, number + 1);
      supply(route, size, number);
      const { name, path } = fileOf(options, own.id, route, size, number);
      return { name, url: server.url + path };
    },
  };
};

/**
 * No two relays have a path in common, not even those of different folders. A file on disk has many
 * paths, since each is requested once only.
 */
const fileOf = (
  { folder, disk }: RelayOptions,
  id: string,
  route: Route,
  size: number,
  number: number,
): { readonly name: string; readonly path: string } => {
  if (route === 'file') {
    const name = diskName(size, number % (disk.get(size) ?? 1));
    return { name, path: `/file/${name}/${number}` };
  }
  const name = `${size}-${basename(folder)}-${id}-${route}-${number}`;
  return { name, path: `/${route}/${name}` };
};

/** With `gauge.ts`, so that its garbage can be measured. */
const node = (script: string, ...args: readonly string[]): readonly string[] => [
  process.execPath,
  '--import',
  join(packageRoot, 'bench/contenders/gauge.ts'),
  script,
  ...args,
];

const contender = (file: string): string => join(packageRoot, 'bench/contenders', file);

const startNode = async (options: RelayOptions, files: string): Promise<Relay> => {
  const { origin, core } = options;
  const server = await startServer((port) => node(contender('node.ts'), String(port), JSON.stringify(origin), files), {
    core,
    ipc: true,
  });
  return relayOf(
    server,
    { id: 'node', name: 'Node: http.get and pipeline', routes: ['http', 'https', 'file'] },
    options,
  );
};

const startUndici = async (options: RelayOptions): Promise<Relay> => {
  const { origin, core } = options;
  const server = await startServer((port) => node(contender('undici.ts'), String(port), JSON.stringify(origin)), {
    core,
    ipc: true,
  });
  return relayOf(server, { id: 'undici', name: 'undici: request and pipeline', routes: ['http', 'https'] }, options);
};

const startFastify = async (options: RelayOptions): Promise<Relay> => {
  const { origin, core } = options;
  const server = await startServer((port) => node(contender('fastify.ts'), String(port), JSON.stringify(origin)), {
    core,
    ipc: true,
  });
  return relayOf(server, { id: 'fastify', name: 'fastify: reply-from', routes: ['http', 'https'] }, options);
};

/** The version of a program. Undefined if it is not installed. */
const versionOf = (program: string): string | undefined => {
  const { status, stdout, stderr } = spawnSync(program, ['-v'], { encoding: 'utf8' });
  return status === 0 ? (/\d+(\.\d+)+/.exec(stdout + stderr)?.[0] ?? '') : undefined;
};

/** A committed configuration with its places filled in. */
const configured = (file: string, places: Readonly<Record<string, string>>): string =>
  readFileSync(contender(file), 'utf8').replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const place = places[name];
    if (place === undefined) throw new Error(`${file}: {{${name}}} is unknown`);
    return place;
  });

/** Starts a program with a committed configuration; `args` are those after the name of its file. */
const startConfigured = (
  { folder, origin, core }: RelayOptions,
  [program, file]: readonly [string, string],
  more: Readonly<Record<string, string>>,
  args: (file: string) => readonly string[],
): Promise<ServerProcess> =>
  startServer(
    (port) => {
      const { ca, cert, key, certAndKey } = origin;
      const hosts = { http: new URL(origin.http).host, https: `127.0.0.1:${new URL(origin.https).port}` };
      const config = join(folder, file);
      writeFileSync(
        config,
        configured(file, { ...{ ca, cert, key, certAndKey, folder, port: String(port) }, ...hosts, ...more }),
      );
      return [program, ...args(config)];
    },
    { core } satisfies ServerOptions,
  );

const startNginx = async (options: RelayOptions, files: string): Promise<Relay | undefined> => {
  const version = versionOf('nginx');
  if (version === undefined) return undefined;
  const user = statSync(options.folder).uid === 0 ? 'user root;' : '';
  const { folder, clients = 1_000 } = options;
  // Each client has a connection to the feed as well.
  const connections = String(3 * clients);
  const server = await startConfigured(options, ['nginx', 'nginx.conf'], { user, files, connections }, (file) => [
    ...['-c', file, '-p', folder],
  ]);
  return relayOf(server, { id: 'nginx', name: `nginx ${version}`, routes: ['http', 'https', 'file', 'kept'] }, options);
};

const startHaproxy = async (options: RelayOptions): Promise<Relay | undefined> => {
  const version = versionOf('haproxy');
  if (version === undefined) return undefined;
  const connections = String(2 * (options.clients ?? 1_000));
  const server = await startConfigured(options, ['haproxy', 'haproxy.cfg'], { connections }, (file) => [
    '-db',
    '-q',
    '-f',
    file,
  ]);
  return relayOf(server, { id: 'haproxy', name: `HAProxy ${version}`, routes: ['http', 'https'] }, options);
};

/** The product with a catalog of all its supplies, its log in a file. */
const startStreamer = async (
  options: RelayOptions,
  files: string,
  id: string,
  settings: readonly string[],
): Promise<Relay> => {
  const { folder, core, main, supplies, clients } = options;
  // Limits on their number protect a machine; what is measured is what they cost.
  const unlimited = clients === undefined ? [] : ['--max-transfers', '0', '--max-client-connections', '0'];
  const state = join(folder, id);
  mkdirSync(state, { mode: 0o700 });
  fillCatalog(join(state, 'catalog.db'), options, id, files);
  const server = await startServer(
    (port) =>
      node(main, 'serve', '--config', NO_FILE, '--port', String(port), '--state-dir', state, ...settings, ...unlimited),
    { core, ipc: true, log: join(state, 'log') },
  );
  const has = (route: Route, size: number, number: number) => {
    const supply = supplies.find((one) => one.route === route && one.size === size);
    if (number >= (supply?.count ?? 0)) throw new Error(`no fresh path left of /${route}/ with ${size} bytes`);
  };
  return relayOf(
    server,
    { id, name: 'pulp-streamer', routes: ['http', 'https', 'file', 'kept', 'verified'] },
    options,
    has,
  );
};

const BATCH = 10_000;

const fillCatalog = (file: string, options: RelayOptions, id: string, files: string): void => {
  const { http, https, ca, cert, key } = options.origin;
  const catalog = openSqliteCatalog(file);
  const [caText, certText, keyText] = [ca, cert, key].map((pem) => readFileSync(pem, 'utf8'));
  const config = { ssl_ca_cert: caText, ssl_client_cert: certText, ssl_client_key: keyText };
  const importerId = catalog.importers.add({ config }).id;
  const bases: Record<Route, string> = { http, https, kept: http, verified: http, file: pathToFileURL(files).href };
  const staging = catalog.entries.stage();
  for (const { route, size, count } of options.supplies)
    for (let from = 0; from < count; from += BATCH)
      staging.write(
        Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => {
          const { name, path } = fileOf(options, id, route, size, from + index);
          const isVerified = route === 'verified' || route === 'kept';
          return {
            ...{ path, importerId, unitId: path, unitTypeId: 'rpm', url: `${bases[route]}/${name}`, size, revision: 1 },
            ...(isVerified && { checksum: { algorithm: 'sha256', value: digestOf(name) } as const }),
            data: {},
          };
        }),
      );
  staging.publishAsIs();
  catalog.close();
};
