import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ServerOptions, type ServerProcess, startServer } from './machine.ts';
import { contender, onNode, type Relay, type RelayOptions, relayOf } from './relay.ts';

export const startNode = async (options: RelayOptions, files: string): Promise<Relay> => {
  const { origin, core } = options;
  const server = await startServer(
    (port) => onNode(contender('node.ts'), String(port), JSON.stringify(origin), files),
    {
      core,
      ipc: true,
    },
  );
  return relayOf(
    server,
    { id: 'node', name: 'Node: http.get and pipeline', routes: ['http', 'https', 'file'] },
    options,
  );
};

export const startUndici = async (options: RelayOptions): Promise<Relay> => {
  const { origin, core } = options;
  const server = await startServer((port) => onNode(contender('undici.ts'), String(port), JSON.stringify(origin)), {
    core,
    ipc: true,
  });
  return relayOf(server, { id: 'undici', name: 'undici: request and pipeline', routes: ['http', 'https'] }, options);
};

export const startFastify = async (options: RelayOptions): Promise<Relay> => {
  const { origin, core } = options;
  const server = await startServer((port) => onNode(contender('fastify.ts'), String(port), JSON.stringify(origin)), {
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

export const startNginx = async (options: RelayOptions, files: string): Promise<Relay | undefined> => {
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

export const startHaproxy = async (options: RelayOptions): Promise<Relay | undefined> => {
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
