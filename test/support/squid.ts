import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { closedPort } from './feeds.ts';
import type { Running, Start } from './processes.ts';

/** A real Squid in front of a streamer, as Pulp has it. */
export interface Squid {
  /** Without a slash at its end. */
  readonly url: string;
  readonly pid: number;
  /** What it has to say about itself, so far. */
  log(): string;
  /** Resolves once it is gone, with everything that it cached. */
  stop(): Promise<void>;
}

/** Further lines of its configuration. */
type Lines = readonly string[];

const configuration = (folder: string, port: number, streamer: number, more: Lines): Lines => [
  `http_port 127.0.0.1:${port} accel defaultsite=pulp no-vhost`,
  `cache_peer 127.0.0.1 parent ${streamer} 0 no-query no-digest originserver name=streamer`,
  'http_access allow all',
  'range_offset_limit none',
  'cache_mem 128 MB',
  'maximum_object_size_in_memory 16 MB',
  'visible_hostname squid.test',
  'access_log none',
  `cache_log ${join(folder, 'cache.log')}`,
  `coredump_dir ${folder}`,
  'pid_filename none',
  'netdb_filename none',
  'pinger_enable off',
  'shutdown_lifetime 0 seconds',
  // Without a limit it makes room for as many as the system allows, which may be a gibibyte's worth.
  'max_filedescriptors 4096',
  ...more,
];

/** Starts Squid in the foreground on a free port, caching in memory; resolves when it takes connections, rejects with its log where it does not. */
export const startSquid = async (start: Start, streamer: string, more: Lines = []): Promise<Squid> => {
  const folder = mkdtempSync(join(tmpdir(), 'pulp-streamer-squid-'));
  // Squid gives root up for a user of its own, who has to write here.
  chmodSync(folder, 0o777);
  const port = await closedPort();
  const config = join(folder, 'squid.conf');
  writeFileSync(config, `${configuration(folder, port, Number(new URL(streamer).port), more).join('\n')}\n`);
  const log = () => readFileSync(join(folder, 'cache.log'), 'utf8');
  const running = start('squid', ['-N', '-f', config]);
  await Promise.race([listening(port, running), failing(running, log)]);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: running.pid,
    log,
    stop: async () => {
      running.kill('SIGTERM');
      await running.ended;
      rmSync(folder, { recursive: true });
    },
  };
};

const failing = async (running: Running, log: () => string): Promise<never> => {
  const { status, stderr } = await running.ended;
  throw new Error(`Squid ended with ${status}; ${stderr}\n${log()}`);
};

const listening = async (port: number, running: Running): Promise<void> => {
  let over = false;
  void running.ended.catch(() => {}).finally(() => (over = true));
  while (!over && !(await accepts(port))) await setImmediate();
};

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const tell = (well: boolean) => () => {
      socket.destroy();
      resolve(well);
    };
    socket.on('connect', tell(true)).on('error', tell(false));
  });
