import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Bounds of the process that reads metadata. */
export interface Limits {
  /** Bytes of JavaScript objects. */
  readonly heap: number;
  /** Bytes of memory in all, including buffers, WebAssembly and native code. */
  readonly memory: number;
  /** Milliseconds in which it must accept bytes or send items, unless it waits for either. */
  readonly silence: number;
}

const MIB = 1024 ** 2;

/** Enough for a dictionary of 128 MiB, the largest that `xz` and `zstd --long` make by default. */
export const LIMITS: Limits = { heap: 128 * MIB, memory: 512 * MIB, silence: 60_000 };

/** Milliseconds between two looks. */
const INTERVAL = 100;
const PAGE = 4096;

/** Bytes of resident memory; unknown on systems other than Linux. */
const residentOf = (pid: number | undefined): number => {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE;
  } catch {
    return 0;
  }
};

export interface Guard {
  /** Reports that the process has accepted bytes or sent a message. */
  alive(): void;
  /** Suspends the limit of silence until `resume`, because the process waits for its parent. */
  suspend(): void;
  resume(): void;
  /** The reason for which the guard has killed the process. */
  readonly reason: string | undefined;
  stop(): void;
}

/** Kills the process when it exceeds a limit. */
export const guard = (child: ChildProcess, { memory, silence }: Limits): Guard => {
  let last = performance.now();
  let suspended = 0;
  let reason: string | undefined;
  const kill = (why: string) => {
    reason ??= why;
    child.kill('SIGKILL');
  };
  const timer = setInterval(() => {
    const now = performance.now();
    if (suspended > 0) last = now;
    if (residentOf(child.pid) > memory) kill(`it needs more than ${Math.round(memory / MIB)} MiB of memory`);
    if (now - last > silence) kill(`it produced nothing for ${silence} ms`);
  }, INTERVAL).unref();
  return {
    alive: () => {
      last = performance.now();
    },
    suspend: () => {
      suspended += 1;
    },
    resume: () => {
      suspended -= 1;
      last = performance.now();
    },
    get reason() {
      return reason;
    },
    stop: () => clearInterval(timer),
  };
};
