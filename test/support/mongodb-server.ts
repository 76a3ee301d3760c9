import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { closedPort } from './feeds.ts';
import { goBuild } from './go-build.ts';
import { until } from './until.ts';

/** A real server for MongoDB's wire protocol. */
export interface MongoServer {
  readonly url: string;
  /** Ends it at once, as a crash would. */
  stop(): Promise<void>;
  /** Starts it again, on the same port with the same data. Resolves when it accepts connections. */
  start(): Promise<void>;
  /** Keeps its connections open, but becomes silent. */
  freeze(): void;
  thaw(): void;
}

/** How a server is started. A server given by its URL has no command. */
interface Way {
  readonly name: string;
  readonly url?: string;
  readonly command?: (folder: string, port: number) => readonly [string, ...string[]];
}

const FERRETDB = fileURLToPath(new URL('ferretdb', import.meta.url));

/** FerretDB, built from its sources if necessary. `undefined` if it cannot be built. */
export const ferretdb = (): string | undefined =>
  goBuild({
    ...{ name: 'ferretdb', folder: FERRETDB, files: ['main.go', 'go.mod', 'go.sum'] },
    what: ['-tags', 'ferretdb_no_postgresql', '.'],
  });

const findOwnWay = (): Way | undefined => {
  if (spawnSync('mongod', ['--version']).status === 0)
    return {
      name: 'mongod',
      command: (folder, port) => ['mongod', '--dbpath', folder, '--port', String(port), '--bind_ip', '127.0.0.1'],
    };
  const binary = ferretdb();
  return binary ? { name: 'FerretDB', command: (folder, port) => [binary, folder, String(port)] } : undefined;
};

const url = process.env.MONGODB_URL;
/** The way to start a server on this machine, if any. */
export const way = url ? { name: 'MONGODB_URL', url } : findOwnWay();

/** Starts a server with its data in an empty folder. */
export const startMongoServer = async (folder: string): Promise<MongoServer> => {
  if (way?.url) return theirs(way.url);
  return startOwnMongoServer(folder, way);
};

/** The same, also if there is an external server: this one can be stopped. */
export const startOwnMongoServer = async (folder: string, found = findOwnWay()): Promise<MongoServer> => {
  if (!found?.command) throw new Error('no MongoDB server available: needs mongod, or Go to build FerretDB');
  return ours(found.command, folder, await closedPort());
};

/** Starts of a server whose port is taken, and milliseconds between them. */
const TRIES = 60;
const REST = 1_000;

const theirs = (url: string): MongoServer => {
  const refuse = () => {
    throw new Error('cannot stop an external server');
  };
  return { url, stop: refuse, start: refuse, freeze: refuse, thaw: refuse };
};

const ours = async (command: NonNullable<Way['command']>, folder: string, port: number): Promise<MongoServer> => {
  const [program, ...args] = command(folder, port);
  const run = () => spawn(program, args, { stdio: 'ignore' });
  let child = run();
  let ended = once(child, 'close');
  await listening(port, child);
  return {
    url: `mongodb://127.0.0.1:${port}/`,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    start: async () => {
      // While it was away, a connection to somewhere else may have got its port.
      for (let tries = 1; ; tries += 1) {
        child = run();
        ended = once(child, 'close');
        try {
          return await listening(port, child);
        } catch (error) {
          if (tries === TRIES) throw error;
          await setTimeout(REST);
        }
      }
    },
    freeze: () => {
      child.kill('SIGSTOP');
      // Each of its threads stops separately.
      while (!isStopped(child.pid)) {}
    },
    thaw: () => {
      child.kill('SIGCONT');
    },
  };
};

/** Resolves once the port accepts connections. Rejects if the process ends first. */
const listening = async (port: number, child: { readonly exitCode: number | null }): Promise<void> => {
  let open = false;
  const attempt = () => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      open = true;
      socket.destroy();
    });
    socket.on('error', () => setImmediate(attempt));
  };
  attempt();
  await until(() => open || child.exitCode !== null);
  if (!open) throw new Error(`the server ended with ${child.exitCode}`);
};

/** Whether all threads of a process are stopped. */
const isStopped = (pid: number | undefined): boolean =>
  readdirSync(`/proc/${pid}/task`).every((task) =>
    /\) [Tt] /.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8')),
  );
