import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { filter, firstValueFrom, type Observable, ReplaySubject } from 'rxjs';

/** A process's status and output. */
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
  /** Replaces this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** The user that it runs as; only root may choose. Default: that of this process. */
  readonly uid?: number;
  readonly gid?: number;
  /**
   * The signal that ends it after a test. Default: SIGKILL, which a process cannot pass on to its
   * children.
   */
  readonly farewell?: NodeJS.Signals;
}

export type Start = (command: string, args: readonly string[], options?: Options) => Running;

/** Starts a process. Whoever starts it sees to its end. */
export const startProcess: Start = (command, args, { cwd, env = ownEnvironment(), input, uid, gid }: Options = {}) => {
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

/** This process's environment without variables that would change the outcome of a test. */
export const ownEnvironment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !MISLEADING.test(name)));

/** Resolves once a process succeeded. Rejects with its output if it failed. */
export const succeeded = async ({ ended }: Running): Promise<Finished> => {
  const finished = await ended;
  const { status, signal, stdout, stderr } = finished;
  if (status !== 0) throw new Error(`ended with ${signal ?? status}; expected 0\n${stdout}\n${stderr}`);
  return finished;
};

/**
 * The first line that matches a description. Rejects with all output if the process ends without
 * it.
 */
export const lineOf = async ({ lines, ended }: Running, wanted: (line: string) => boolean): Promise<string> => {
  const line = await firstValueFrom(lines.pipe(filter(wanted)), { defaultValue: undefined });
  if (line !== undefined) return line;
  const { status, signal, stdout, stderr } = await ended;
  throw new Error(`ended with ${signal ?? status} before the expected line\n${stdout}\n${stderr}`);
};

const statusField = (pid: number, field: string): number => {
  const [, kibibytes] =
    new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
};

/** Bytes of memory of a process, now and at most. Linux. */
export const memoryOf = (pid: number) => ({ resident: statusField(pid, 'VmRSS'), peak: statusField(pid, 'VmHWM') });

/** Restarts the measurement of the peak (proc_pid_clear_refs(5)). */
export const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** Everything that a process has open: files by their paths, sockets by their numbers. Linux. */
export const openOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
    } catch {
      return []; // closed in between
    }
  });
