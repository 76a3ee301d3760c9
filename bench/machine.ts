import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** An empty configuration, so that the files in /etc of this machine are not read. */
export const NO_FILE = '/dev/null';

/** Cores for contenders and for everything else, so that neither takes time from the other. */
export interface Cores {
  readonly contender: number;
  readonly load: number;
  /** The load’s core if the machine has only two. */
  readonly origin: number;
}

/** Absent if the machine has one core, or no `taskset`. */
export const findCores = (): Cores | undefined => {
  const { status, stdout } = spawnSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' });
  if (status !== 0) return undefined;
  const allowed = (/: (\S+)$/m.exec(stdout)?.[1] ?? '').split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  const [contender, load, origin = load] = allowed;
  return contender === undefined || load === undefined || origin === undefined
    ? undefined
    : { contender, load, origin };
};

/** Moves this process, which makes the load, to a core. */
export const moveTo = (core: number): void => {
  spawnSync('taskset', ['-acp', String(core), String(process.pid)]);
};

/** A command that runs on one core, or on any if none is given. */
export const pinned = (core: number | undefined, command: readonly string[]): readonly [string, ...string[]] => {
  const [first = '', ...others] = core === undefined ? command : ['taskset', '-c', String(core), ...command];
  return [first, ...others];
};

/** A server in a separate process. */
export interface ServerProcess {
  /** Without a slash at its end. */
  readonly url: string;
  readonly pid: number;
  /** Sends a message to a child that was started with `ipc`, and resolves to its answer. */
  request<Answer>(message: string): Promise<Answer>;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly core?: number | undefined;
  readonly ipc?: boolean;
  /** File for its standard output. Default: discarded. */
  readonly log?: string;
  /** Default: a free one. */
  readonly port?: number;
}

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

const answers = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    get(url, { method: 'HEAD', agent: false }, (res) => resolve(res.resume() !== undefined)).on('error', () =>
      resolve(false),
    );
  });

/** Starts a server on a free port. Resolves when it answers, rejects if it ends before that. */
export const startServer = async (
  make: (port: number) => readonly string[],
  { core, ipc = false, log, port: given }: ServerOptions = {},
): Promise<ServerProcess> => {
  const port = given ?? (await freePort());
  const [command, ...args] = pinned(core, make(port));
  const child = spawn(command, args, {
    stdio: ['ignore', log === undefined ? 'ignore' : openSync(log, 'a'), 'inherit', ...(ipc ? ['ipc' as const] : [])],
  });
  const url = `http://127.0.0.1:${port}`;
  const ended = gone(child).then(() => {
    throw new Error(`${[command, ...args].join(' ')} ended before it answered`);
  });
  const there = async () => {
    while (!(await answers(url))) await setTimeout(20);
  };
  await Promise.race([ended, there()]);
  ended.catch(() => {});
  return {
    url,
    pid: child.pid ?? 0,
    request: async (message) => {
      const answer = once(child, 'message');
      child.send(message);
      return (await answer)[0];
    },
    stop: async () => {
      child.kill();
      await gone(child);
    },
  };
};

export const gone = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};

/**
 * CPU seconds that all threads of a process have used so far. From the scheduler’s own count in
 * nanoseconds; from hundredths of a second if the kernel does not have it. Linux.
 */
export const cpuOf = (pid: number): number => {
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).reduce((sum, task) => sum + ranFor(`${tasks}/${task}/schedstat`), 0);
  return nanoseconds > 0 ? nanoseconds / 1e9 : allCpuOf(pid);
};

/** CPU seconds that a process has used so far, in hundredths; also those of threads that have ended. Linux. */
export const allCpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

/** The processes that a process has started, and those that they have. Linux. */
export const descendantsOf = (pid: number): readonly number[] => {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
};

const ranFor = (file: string): number => {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10);
  } catch {
    return 0; // The thread has ended, or the kernel has no such file.
  }
};

/** Bytes that a process has in memory. Linux. */
export const residentOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

/** The same of a process and those that it has started, as far as they run. */
export const residentOfAll = (pid: number): number =>
  [pid, ...childrenOf(pid)].reduce((sum, one) => sum + residentOf(one), 0);

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** Files that a process of this machine may open. */
export const descriptors = (): number =>
  Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);

/** What a command used, together with the processes that it started and waited for. */
export interface Usage {
  readonly cpuSeconds: number;
  /** The sum of the highest values of each process. */
  readonly peakBytes: number;
}

/** Linux counts the processor time of children in ticks of 10 ms, and drops their memory at their end. */
const TELL = `const { readFileSync } = process.getBuiltinModule('node:fs');
  const read = (file) => { try { return readFileSync(file, 'utf8'); } catch { return ''; } };
  const peaks = new Map();
  setInterval(() => {
    for (const pid of read('/proc/self/task/' + process.pid + '/children').split(' ').filter(Boolean))
      peaks.set(pid, Math.max(peaks.get(pid) ?? 0, Number(/VmHWM:\\s+(\\d+)/.exec(read('/proc/' + pid + '/status'))?.[1] ?? 0)));
  }, 20).unref();
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const [, , , , , , , , , , , , , user, system] = read('/proc/self/stat').replace(/^.*\\) /, '').split(' ').map(Number);
    const ticks = (user || 0) + (system || 0);
    const peak = [...peaks.values()].reduce((sum, one) => sum + one, maxRSS);
    process.send({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 + ticks / 100, peakBytes: peak * 1024 });
  });`;

/** Runs one of our scripts to its end. Rejects if it fails. */
export const usageOf = async (core: number | undefined, script: string, ...args: string[]): Promise<Usage> => {
  const preload = `data:text/javascript,${encodeURIComponent(TELL)}`;
  const [command, ...all] = pinned(core, [process.execPath, '--import', preload, script, ...args]);
  const child = spawn(command, all, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  let usage: Usage | undefined;
  child.on('message', (message) => {
    usage = message as Usage;
  });
  await once(child, 'close');
  if (child.exitCode !== 0 || !usage) throw new Error(`${script} ${args.join(' ')} ended with ${child.exitCode}`);
  return usage;
};
