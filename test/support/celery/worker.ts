import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll } from '@jest/globals';
import { PYTHON } from './python.ts';

/** One line of the example worker's results. */
export interface Result {
  readonly outcome: 'saved' | 'present' | 'nudged';
  readonly unit_id: string;
  readonly path: string;
  readonly task_id: string;
  readonly resource: string | null;
  readonly tags: readonly string[] | null;
  readonly request_id: string | null;
  readonly traceparent: string | null;
  readonly tracestate: string | null;
  readonly options: Readonly<Record<string, unknown>>;
  /** Unix seconds. */
  readonly began: number;
  readonly ended: number;
}

export interface CeleryWorker {
  readonly storage: string;
  readonly results: () => readonly Result[];
  /** Resolves once the results match a description. */
  until(enough: (results: readonly Result[]) => boolean): Promise<readonly Result[]>;
}

export const EXAMPLE = fileURLToPath(new URL('../../../examples/celery', import.meta.url));

/** Starts real Celery workers that run the example; they end with the test file. */
export const celeryWorkers = () => {
  const ending: (() => Promise<unknown>)[] = [];
  afterAll(() => Promise.all(ending.map((end) => end())), 30_000);

  return async (folder: string, env: Readonly<Record<string, string>>): Promise<CeleryWorker> => {
    const results = join(folder, 'results.jsonl');
    writeFileSync(results, '');
    const options = ['--pool', 'threads', '--concurrency', '4', '--without-gossip', '--without-mingle'];
    const child = spawn(PYTHON, ['-B', '-m', 'celery', '-A', 'worker', 'worker', '--loglevel', 'INFO', ...options], {
      cwd: EXAMPLE,
      env: { PATH: process.env.PATH, ...env, STORAGE: folder, RESULTS: results },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const closed = once(child, 'close');
    ending.push(async () => {
      child.kill('SIGKILL');
      await closed;
    });
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      createInterface(child.stderr).on('line', (line) => {
        said.push(line);
        if (line.includes(' ready.')) resolve();
      });
      child.on('close', () => reject(new Error(`the worker ended:\n${said.join('\n')}`)));
    });
    const read = (): Result[] =>
      existsSync(results)
        ? readFileSync(results, 'utf8')
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line))
        : [];
    return {
      storage: folder,
      results: read,
      until: (enough) =>
        new Promise((resolve) => {
          const watcher = watch(results, look);
          // A test that times out must not leave a watcher behind.
          ending.push(async () => watcher.close());
          function look() {
            const present = read();
            if (!enough(present)) return;
            watcher.close();
            resolve(present);
          }
          look();
        }),
    };
  };
};
