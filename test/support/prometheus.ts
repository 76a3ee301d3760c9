import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listening, type Peer } from './peers.ts';
import { freePorts } from './ports.ts';
import type { Start } from './run-process.ts';
import { shipped } from './shipped.ts';
import { until } from './until.ts';

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

interface Prometheus extends Peer {
  /** Evaluates an expression now. Throws if Prometheus refuses it. */
  query(expression: string): Promise<readonly Sample[]>;
  /** The data of another path of its API. */
  api(path: string): Promise<unknown>;
}

/**
 * Starts Prometheus with the shipped configuration and alerts, on a free port and in a separate
 * folder; it scrapes an admin port every second. Resolves when it answers queries.
 */
export const startPrometheus = async (start: Start, folder: string, adminPort: number): Promise<Prometheus> => {
  const [port = 0] = await freePorts(1);
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'prometheus.yml');
  const often = (text: string) => text.replaceAll('_interval: 15s', '_interval: 1s');
  writeFileSync(config, often(shipped('prometheus/prometheus.yml', { 8752: adminPort })));
  writeFileSync(join(folder, 'alerts.yml'), shipped('prometheus/alerts.yml', {}));
  const running = start(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { farewell: 'SIGTERM' },
  );
  await listening(running, port);
  const url = `http://127.0.0.1:${port}`;
  // It accepts connections before it has read its data.
  await until(async () => (await fetch(`${url}/-/ready`)).ok);
  const api = async (path: string): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as { status: string; data: unknown; error?: string };
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data;
  };
  return {
    url,
    api,
    query: async (expression) => {
      const { result } = (await api(`query?query=${encodeURIComponent(expression)}`)) as { result: readonly Sample[] };
      return result;
    },
  };
};
