import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/** A server in a separate process. */
export interface ServerProcess {
  /** Without a slash at the end. */
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const freePort = async (): Promise<number> => {
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

/** Starts a server on a free port. Resolves once it answers; rejects if it ends before. */
export const startServer = async (make: (port: number) => readonly [string, ...string[]]): Promise<ServerProcess> => {
  const port = await freePort();
  const [command, ...args] = make(port);
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const url = `http://127.0.0.1:${port}`;
  const ended = gone(child).then(() => {
    throw new Error(`${command} ended before it answered`);
  });
  const answered = async () => {
    while (!(await answers(url))) await setTimeout(20);
  };
  await Promise.race([ended, answered()]);
  ended.catch(() => {});
  return {
    url,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill();
      await gone(child);
    },
  };
};

const gone = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};

/** CPU seconds that a process has used, in hundredths. Linux. */
export const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
};

/** Resident bytes of a process. Linux. */
export const residentOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

/** The resources that a script used, as Node reports them at its end. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

const REPORT = `process.on('exit', () => { const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  process.send({ cpuSeconds: (userCPUTime + systemCPUTime) / 1e6, peakBytes: maxRSS * 1024 }); });`;

/** Runs a script to its end. Rejects if it fails. */
export const usageOf = async (script: string, ...args: string[]): Promise<Usage> => {
  const preload = `data:text/javascript,${encodeURIComponent(REPORT)}`;
  const child = spawn(process.execPath, ['--import', preload, script, ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let usage: Usage | undefined;
  child.on('message', (message) => {
    usage = message as Usage;
  });
  await once(child, 'close');
  if (child.exitCode !== 0 || !usage) throw new Error(`${script} ${args.join(' ')} ended with ${child.exitCode}`);
  return usage;
};
