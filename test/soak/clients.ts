import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const CLIENT = fileURLToPath(new URL('client.py', import.meta.url));

/** A line of a client. Times are milliseconds of the monotonic clock. */
export interface Line {
  readonly number: number;
  readonly class: string;
  /** `beyond`: bytes after the end. */
  readonly asked: 'whole' | 'part' | 'head' | 'condition' | 'beyond';
  readonly try: number;
  readonly status: number;
  readonly outcome: 'right' | 'wrong' | 'cut' | 'refused' | 'left' | 'hang';
  readonly bytes: number;
  readonly began: number;
  readonly ended: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly note: string;
  /** Whether it was the last one of its job. */
  readonly over: boolean;
}

/** What a client is to ask for. It decides how. */
export interface Job {
  readonly number: number;
  readonly class: string;
  readonly url: string;
  readonly content: string;
  readonly size: number;
}

export interface Clients {
  /** Resolves once the clients can take another job. */
  ask(job: Job): Promise<void>;
  /** Resolves once all jobs are done and the process has ended; rejects if it failed. */
  end(): Promise<void>;
  kill(): void;
}

/** Starts the process of the clients. Each of its lines is handed on, also unparsed. */
export const startClients = (seed: number, count: number, said: (line: Line, text: string) => void): Clients => {
  const child = spawn('python3', [CLIENT, String(seed), String(count)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const errors: Buffer[] = [];
  child.stderr.on('data', (bytes: Buffer) => errors.push(bytes));
  // If it fails, its status says so.
  child.stdin.on('error', () => {});
  createInterface(child.stdout).on('line', (text) => said(JSON.parse(text) as Line, text));
  const closed = once(child, 'close') as Promise<[number | null]>;
  closed.catch(() => {});
  return {
    ask: async (job) => {
      if (!child.stdin.write(`${JSON.stringify(job)}\n`) && child.exitCode === null)
        await Promise.race([once(child.stdin, 'drain'), closed]);
    },
    end: async () => {
      child.stdin.end();
      const [status] = await closed;
      if (status !== 0 || errors.length > 0)
        throw new Error(`the clients ended with ${status}: ${Buffer.concat(errors)}`);
    },
    kill: () => {
      child.kill('SIGKILL');
    },
  };
};
