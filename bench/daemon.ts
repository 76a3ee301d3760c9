import { type ChildProcess, spawn } from 'node:child_process';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Bench } from './bench.ts';
import { gone, NO_FILE, pinned } from './machine.ts';

/** A daemon with a catalog of its scenario, and connections to it that are used again. */
export interface Daemon {
  readonly pid: number;
  readonly url: string;
  readonly agent: Agent;
  stop(): Promise<void>;
}

/** Starts the product with the shipped defaults, except for some settings. `catalog` is its file. */
export const startDaemon = async (
  { cores, main }: Pick<Bench, 'cores' | 'main'>,
  folder: string,
  catalog: string,
  settings: readonly string[],
): Promise<Daemon> => {
  const state = ['--config', NO_FILE, '--state-dir', join(folder, 'state'), '--catalog', catalog];
  const [command, ...args] = pinned(cores?.contender, [
    ...[process.execPath, main, 'serve', '--port', '0', ...state, ...settings],
  ]);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [, port] = / port (\d+)$/.exec(await readiness(child)) ?? [];
  const agent = new Agent({ keepAlive: true });
  return {
    pid: child.pid ?? 0,
    url: `http://127.0.0.1:${port}`,
    agent,
    stop: async () => {
      agent.destroy();
      child.kill();
      await gone(child);
    },
  };
};

const readiness = ({ stdout }: ChildProcess): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>();
  // Read on: a full pipe would stop the daemon.
  if (stdout)
    createInterface(stdout).on('line', (line) => {
      const { msg, listening } = JSON.parse(line);
      if (msg === 'ready') resolve(listening[0]);
    });
  return promise;
};
