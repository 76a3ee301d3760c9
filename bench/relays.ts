import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openSqliteCatalog } from '../src/catalog/sqlite/catalog.ts';
import { contentOf, digestOf } from './content.ts';
import { NO_FILE, startServer } from './machine.ts';
import { startFastify, startHaproxy, startNginx, startNode, startUndici } from './peers.ts';
import { diskName, fileOf, onNode, type Relay, type RelayOptions, type Route, relayOf } from './relay.ts';

export interface Relays {
  /** All except the product; nginx comes first if it is installed, Node otherwise. */
  readonly peers: readonly Relay[];
  /** The product, which saves nothing. */
  readonly streamer: Relay;
  /** The product as shipped: it keeps copies. */
  readonly keeping: Relay;
  stop(): Promise<void>;
}

/** Starts all relays that are installed, or the product alone. */
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
    const peers: Relay[] = [];
    if (!options.alone) {
      const node = await started(startNode(options, files));
      const undici = await started(startUndici(options));
      const fastify = await started(startFastify(options));
      const nginx = await started(startNginx(options, files));
      const haproxy = await started(startHaproxy(options));
      peers.push(...[nginx, node, undici, fastify, haproxy].filter((relay) => relay !== undefined));
    }
    const streamer = await started(startStreamer(options, files, 'ours', ['--dispatch', 'none']));
    const keeping = await started(startStreamer(options, files, 'keeping', []));
    return { peers, streamer, keeping, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

const writeFile = (file: string): void => {
  writeFileSync(file, '');
  for (const piece of contentOf(file.slice(file.lastIndexOf('/') + 1))) writeFileSync(file, piece, { flag: 'a' });
};

const UNLIMITED = [
  '--max-transfers',
  '0',
  '--max-transfers-per-client',
  '0',
  '--max-client-connections',
  '0',
  '--max-connections',
  '65535',
];

/** The product with a catalog of all its supplies, its log in a file. */
const startStreamer = async (
  options: RelayOptions,
  files: string,
  id: string,
  settings: readonly string[],
): Promise<Relay> => {
  const { folder, core, main, supplies } = options;
  const unlimited = options.unlimited ? UNLIMITED : [];
  const workers = options.workers === undefined ? [] : ['--workers', String(options.workers)];
  const state = join(folder, id);
  mkdirSync(state, { mode: 0o700 });
  fillCatalog(join(state, 'catalog.db'), options, id, files);
  const server = await startServer(
    (port) =>
      onNode(
        main,
        'serve',
        '--config',
        NO_FILE,
        '--port',
        String(port),
        '--state-dir',
        state,
        ...settings,
        ...unlimited,
        ...workers,
      ),
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
