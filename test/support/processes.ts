import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach } from '@jest/globals';
import { filter, firstValueFrom, type Observable, ReplaySubject } from 'rxjs';

/** What a process left behind. */
export interface Finished {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface Running {
  readonly pid: number;
  /** Each line of its standard output, from the first on. */
  readonly lines: Observable<string>;
  readonly ended: Promise<Finished>;
  kill(signal: NodeJS.Signals): void;
}

interface Options {
  readonly cwd?: string;
  /** Instead of this process's own environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** As whom it runs; only root may choose. Default: as this process. */
  readonly uid?: number;
  readonly gid?: number;
  /** How it is ended after a test. Default: SIGKILL, of which whoever has children could not tell them. */
  readonly farewell?: NodeJS.Signals;
}

export type Start = (command: string, args: readonly string[], options?: Options) => Running;

/** Starts processes; whatever still runs after a test is ended, by its id. */
export const processes = (): Start => {
  const running = new Map<Running, NodeJS.Signals>();
  afterEach(async () => {
    for (const [one, farewell] of running) one.kill(farewell);
    await Promise.all([...running.keys()].map(({ ended }) => ended));
  });
  return (command, args, options = {}) => {
    const one = start(command, args, options);
    running.set(one, options.farewell ?? 'SIGKILL');
    one.ended.then(
      () => running.delete(one),
      () => running.delete(one),
    );
    return one;
  };
};

const start: Start = (command, args, { cwd, env = ownEnvironment(), input, uid, gid }: Options = {}) => {
  const child = spawn(command, args, { cwd, env, uid, gid, stdio: 'pipe' });
  child.stdin.on('error', () => {}).end(input);
  const lines = new ReplaySubject<string>();
  createInterface(child.stdout)
    .on('line', (line) => lines.next(line))
    .on('close', () => lines.complete());
  return {
    pid: child.pid ?? 0,
    lines,
    ended: collect(child, [command, ...args].join(' ')),
    kill: (signal) => child.kill(signal),
  };
};

const collect = (child: ChildProcess, what: string): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr?.on('data', (bytes: Buffer) => err.push(bytes));
    child.on('error', (error) => reject(new Error(`${what}: ${error.message}`, { cause: error })));
    child.on('close', (status, signal) =>
      resolve({ status, signal, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }),
    );
  });

const MISLEADING =
  /^(PULP_STREAMER_|(https?|ftp|all|no)_proxy$|NO_COLOR$|NODE_OPTIONS$|npm_(lifecycle|package|config_local_prefix))/i;

/** This process's environment without what would change the outcome of a test. */
export const ownEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !MISLEADING.test(name)));

/** Resolves once a process succeeded; rejects with what it said where it did not. */
export const succeeded = async ({ ended }: Running): Promise<Finished> => {
  const finished = await ended;
  const { status, signal, stdout, stderr } = finished;
  if (status !== 0) throw new Error(`ended with ${signal ?? status}; expected 0\n${stdout}\n${stderr}`);
  return finished;
};

/** The first line that answers to a description; rejects with all that was said where the process ends without it. */
export const lineOf = async ({ lines, ended }: Running, wanted: (line: string) => boolean): Promise<string> => {
  const line = await firstValueFrom(lines.pipe(filter(wanted)), { defaultValue: undefined });
  if (line !== undefined) return line;
  const { status, signal, stdout, stderr } = await ended;
  throw new Error(`ended with ${signal ?? status} before it said what was expected\n${stdout}\n${stderr}`);
};

const statusField = (pid: number, field: string): number => {
  const [, kibibytes] =
    new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
};

/** Bytes that a process has in memory, now and at most. Linux. */
export const memoryOf = (pid: number) => ({ resident: statusField(pid, 'VmRSS'), peak: statusField(pid, 'VmHWM') });

/** From now on the peak is counted anew (proc_pid_clear_refs(5)). */
export const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** What a process has open: files by their paths, sockets by their numbers. Linux. */
export const openOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
