import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Bounds of the process that reads metadata. */
export interface Limits {
  /** Bytes of JavaScript objects. */
  readonly heap: number;
  /** Bytes of memory in all, including buffers, WebAssembly and native code. */
  readonly memory: number;
  /**
   * Milliseconds of work in which it must accept bytes or send items. On a busy machine it may wait
   * long for a processor, but no longer than ten times that.
   */
  readonly silence: number;
  /** Milliseconds of a processor that it may take in all. */
  readonly work: number;
}

const MIB = 1024 ** 2;

/** Enough for a dictionary of 128 MiB, the largest that `xz` and `zstd --long` make by default. */
export const LIMITS: Limits = { heap: 128 * MIB, memory: 512 * MIB, silence: 60_000, work: 1_800_000 };

/** The limits for so much memory and silence. Of the memory, a quarter may be JavaScript objects. */
export const limitsOf = (memory: number, silence: number): Limits => ({ ...LIMITS, memory, heap: memory / 4, silence });

/** Milliseconds between two looks. */
const INTERVAL = 100;
const PATIENCE = 10;
const KIB = 1024;
/** Milliseconds of a tick, in which Linux counts time for its users. */
const TICK = 10;

/** A file of the kernel about a process. Empty on systems other than Linux, and of one that has ended. */
const aboutProcess = (pid: number | undefined, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
};

/** Bytes of memory, also of what was moved to the disk; 0 if it is not known. */
const memoryOf = (pid: number | undefined): number =>
  [...aboutProcess(pid, 'status').matchAll(/^Vm(?:RSS|Swap):\s*(\d+) kB$/gm)].reduce(
    (sum, [, kib]) => sum + Number(kib) * KIB,
    0,
  );

/** Milliseconds of a processor that it has taken; 0 if they are not known. Its name is in parentheses. */
const workOf = (pid: number | undefined): number => {
  const [, ...fields] = aboutProcess(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  const [user = 0, system = 0] = fields.slice(10, 12).map(Number);
  return (user + system) * TICK;
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
export const guard = (child: ChildProcess, { memory, silence, work }: Limits): Guard => {
  let last = performance.now();
  /** The last time that was seen, and its work until then. */
  let seen = { last, done: 0 };
  let suspended = 0;
  let reason: string | undefined;
  const kill = (why: string) => {
    reason ??= why;
    child.kill('SIGKILL');
  };
  const timer = setInterval(() => {
    const now = performance.now();
    if (suspended > 0) last = now;
    if (memoryOf(child.pid) > memory) kill(`it needs more than ${Math.round(memory / MIB)} MiB of memory`);
    const done = workOf(child.pid);
    if (seen.last !== last) seen = { last, done };
    if (done - seen.done > silence) kill(`it worked for ${silence} ms and produced nothing`);
    const patience = done > 0 ? PATIENCE * silence : silence;
    if (now - last > patience) kill(`it produced nothing for ${patience} ms`);
    if (done > work) kill(`it has worked for more than ${work} ms`);
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
