import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { freePorts } from './ports.ts';

/** A message broker for the tests only. */
export interface RabbitMq {
  readonly url: string;
  /** Its TLS listener, if one was requested. */
  readonly tlsPort: number;
  /** Its management command. */
  ctl(...args: string[]): Promise<string>;
  /** Stops as for an upgrade: connections are cut, new ones are refused. Durable queues stay. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends it at once, as a crash would. Durable queues and confirmed messages stay. */
  crash(): Promise<void>;
  /** Starts it again after a crash, on the same port. */
  recover(): Promise<void>;
  /** Keeps its connections open, but becomes silent. */
  freeze(): void;
  thaw(): void;
}

export interface RabbitMqOptions {
  /** Further lines of its configuration file, given the port of its TLS listener. */
  readonly config?: (tlsPort: number, folder: string) => Promise<string>;
  readonly plugins?: readonly string[];
}

// Debian's wrappers require the user rabbitmq; the wrapped programs run as any user.
const BIN = '/usr/lib/rabbitmq/bin';
export const isInstalled = existsSync(join(BIN, 'rabbitmq-server'));

/** Starts a broker on free ports. It takes some ten seconds. */
export const startRabbitMq = async ({ config, plugins = [] }: RabbitMqOptions = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-rabbitmq-'));
  const [port = 0, tlsPort = 0, distPort = 0, epmdPort = 0] = await freePorts(4);
  const file = (name: string) => join(folder, name);
  writeFileSync(file('rabbitmq.conf'), config ? await config(tlsPort, folder) : '');
  writeFileSync(file('plugins'), `[${plugins.join(',')}].\n`);
  const env = {
    PATH: process.env.PATH,
    HOME: folder, // for the cookie that it shares with its command
    RABBITMQ_NODENAME: 'test@localhost',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_MNESIA_BASE: file('mnesia'),
    RABBITMQ_LOG_BASE: file('log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: file('pid'),
    RABBITMQ_CONFIG_FILE: file('rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: file('plugins'),
    // Erlang's name server outlives the process that starts it. This one is stopped with the
    // broker.
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  };
  const command = async (tool: string, ...args: string[]): Promise<string> =>
    (await promisify(execFile)(tool, args, { env })).stdout;
  const ctl = (...args: string[]) => command(join(BIN, 'rabbitmqctl'), '--quiet', ...args);

  const launch = () => {
    const server = spawn(join(BIN, 'rabbitmq-server'), { env, stdio: ['ignore', 'pipe', 'pipe'] });
    return { server, ended: once(server, 'close') };
  };
  let running = launch();
  const signal = (name: NodeJS.Signals) => process.kill(Number(readFileSync(file('pid'), 'utf8')), name);
  const close = async () => {
    // A frozen one would not obey.
    if (running.server.exitCode === null && running.server.signalCode === null) signal('SIGCONT');
    running.server.kill('SIGTERM');
    const late = setTimeout(() => signal('SIGKILL'), 15_000);
    await running.ended;
    clearTimeout(late);
    await command('epmd', '-kill').catch(() => {}); // It may not have started.
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await started(running.server);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}/`,
    tlsPort,
    ctl,
    stop: async () => void (await ctl('stop_app')),
    start: async () => void (await ctl('start_app')),
    crash: async () => {
      signal('SIGKILL');
      await running.ended;
    },
    recover: async () => {
      running = launch();
      await started(running.server);
    },
    freeze: () => void signal('SIGSTOP'),
    thaw: () => void signal('SIGCONT'),
    close,
  };
};

const started = async ({ stdout, stderr }: ChildProcess): Promise<void> => {
  if (!stdout || !stderr) throw new Error('rabbitmq-server has no output');
  const said: string[] = [];
  stderr.on('data', (bytes: Buffer) => said.push(bytes.toString()));
  const lines = createInterface(stdout);
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      said.push(line);
      if (line.includes('Server startup complete')) resolve();
    });
    lines.on('close', () => reject(new Error(`rabbitmq-server ended before it was up:\n${said.join('\n')}`)));
  });
  lines.on('line', () => {
    said.length = 0;
  });
};
