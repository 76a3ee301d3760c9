import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { firstValueFrom } from 'rxjs';
import { backOff } from '../../../pipelines/operators/back-off.ts';
import type { OpenSocket } from '../../lib/open-socket.ts';
import { messageOf } from '../../lib/thrown.ts';
import type { Start, WorkerCalls, WorkerLoad } from './calls.ts';
import type { Peer } from './channel.ts';
import { forWorker, type Owned } from './for-worker.ts';
import { forkWorker, type WorkerProcess } from './process.ts';
import { soon } from './soon.ts';

/** Milliseconds until a worker that has ended is replaced; longer if it ends again and again. */
const AGAIN = { wait: 100, waitLimit: 10_000, random: Math.random };
/** Milliseconds after which a worker has proven that it works. */
const PROVEN = 10_000;
/** Milliseconds between looks whether a worker answers, and after which it is given up. */
const LOOK = 15_000;
const HANGS = 60_000;
/** Milliseconds after which one that does not answer is reported. */
const SILENT = 5_000;
/** Milliseconds that a worker has to close its files. */
const CLOSING = 10_000;

/** Requests that were answered, and those of them with a status of 500 and more. */
export type Counts = Pick<WorkerLoad, 'answered' | 'failed'>;

export interface WorkerState {
  /** From 1. */
  readonly worker: number;
  readonly pid: number;
  /** How many times it was replaced. */
  readonly restarts: number;
}

/** One of the workers, in whatever process. */
export interface KeptWorker {
  readonly index: number;
  /** Resolves to its addresses once it listens. Rejects, with its process ended, if it cannot. */
  start(): Promise<readonly AddressInfo[]>;
  /** Absent while it is being started or replaced. */
  peer(): Peer<WorkerCalls> | undefined;
  /** Has the settings applied that a reload has changed. */
  renew(): Promise<void>;
  /** Why it does not answer; absent if it does. */
  problem(): string | undefined;
  /** Empty while it is being started or replaced. */
  state(): readonly WorkerState[];
  /** What it does now; `undefined` if it does not answer. */
  load(): Promise<WorkerLoad | undefined>;
  /** What did not work in it when it was last looked at. */
  degraded(): readonly string[];
  /** What it did when it was last looked at, and those before it. */
  counts(): Counts;
  /** From now on it is not replaced. */
  retire(): void;
  /** Has it close everything. Resolves once its process has ended. */
  end(): Promise<void>;
}

interface Parts {
  readonly index: number;
  readonly logger: Logger;
  readonly owned: Owned;
  readonly startOf: () => Start;
  readonly sockets: readonly OpenSocket[];
  /** Called each time that it has begun to answer. */
  readonly begun: (peer: Peer<WorkerCalls>) => void;
}

const NOTHING = { answered: 0, failed: 0, degraded: [] } as const;

/** Keeps a worker running: if its process ends or hangs, another one takes its place. */
export const keepWorker = ({ index, logger, owned, startOf, sockets, begun }: Parts): KeptWorker => {
  const worker = index + 1;
  let current: WorkerProcess | undefined;
  let answers = false;
  let retired = false;
  let restarts = 0;
  let failures = 0;
  let startedAt = 0;
  let lastEnd = '';
  /** It was asked whether it answers, and has not for long. */
  let [asked, isSilent] = [false, false];
  let retrying: NodeJS.Timeout | undefined;
  let before: Counts = { answered: 0, failed: 0 };
  let seen: Counts & Pick<WorkerLoad, 'degraded'> = NOTHING;

  const start = async (): Promise<readonly AddressInfo[]> => {
    const { calls, close } = forWorker(owned);
    const process = forkWorker(calls, sockets);
    current = process;
    startedAt = Date.now();
    let died: string | undefined;
    process.ended.subscribe((how) => {
      died = how;
      close();
      process.peer.ended();
      before = { answered: before.answered + seen.answered, failed: before.failed + seen.failed };
      seen = NOTHING;
      const didAnswer = answers;
      answers = false;
      current = undefined;
      if (didAnswer) replace(how);
    });
    try {
      const given = startOf();
      const addresses = await process.peer.ask('start', given);
      const { settings } = startOf();
      // A reload in the meantime.
      if (!isDeepStrictEqual(settings, given.settings)) await process.peer.ask('settings', settings);
      answers = true;
      begun(process.peer);
      return addresses;
    } catch (error) {
      // If it ended by itself, nothing but how it did is known: it has written the rest.
      const cause = died === undefined ? error : new Error(`it ended with ${died} before it listened`);
      await over(process, () => process.kill());
      throw cause;
    }
  };

  /** Resolves once the process has ended. */
  const over = async ({ ended }: WorkerProcess, act: () => void): Promise<void> => {
    act();
    await firstValueFrom(ended);
  };

  const replace = (how: string) => {
    if (retired) return;
    lastEnd = how;
    failures = Date.now() - startedAt > PROVEN ? 0 : failures + 1;
    const delay = failures === 0 ? 0 : backOff(failures - 1, AGAIN);
    const again = failures > 1 ? { failures } : {};
    logger.error({ worker, ended: how, ...again, retryInMs: Math.round(delay) }, 'worker ended, it is replaced');
    retrying = setTimeout(() => {
      start().then(
        () => {
          restarts += 1;
          logger.info({ worker, process: current?.pid }, 'worker replaced');
        },
        (error: unknown) => replace(messageOf(error)),
      );
    }, delay);
  };

  const load = async (): Promise<WorkerLoad | undefined> => {
    const process = current;
    if (!process || !answers) return undefined;
    const load = await process.peer.ask('load', undefined);
    if (process === current) seen = load;
    return load;
  };

  const look = setInterval(() => {
    const process = current;
    if (!process || !answers || asked) return;
    asked = true;
    const silence = setTimeout(() => {
      isSilent = true;
      logger.warn({ worker, process: process.pid }, 'worker does not answer');
    }, SILENT).unref();
    const hangs = setTimeout(() => {
      logger.error({ worker, process: process.pid }, 'worker hangs, it is ended');
      process.kill();
    }, HANGS).unref();
    load()
      // It has ended, and is replaced.
      .catch(() => {})
      .finally(() => {
        clearTimeout(hangs);
        clearTimeout(silence);
        [asked, isSilent] = [false, false];
      });
  }, LOOK).unref();

  return {
    index,
    start,
    peer: () => (answers ? current?.peer : undefined),
    renew: async () => {
      try {
        // One that hangs gets them when it goes on.
        if (answers) await soon(current?.peer.ask('settings', startOf().settings));
      } catch (error) {
        logger.error({ worker, error: messageOf(error) }, 'worker keeps the former settings');
      }
    },
    problem: () => {
      if (answers) return isSilent ? `worker ${worker} does not answer` : undefined;
      const often = failures > 1 ? `, ${failures} times in a row` : '';
      return `worker ${worker} is being replaced${lastEnd && `: ${lastEnd}${often}`}`;
    },
    state: () => (answers && current ? [{ worker, pid: current.pid, restarts }] : []),
    load,
    degraded: () => seen.degraded,
    counts: () => ({ answered: before.answered + seen.answered, failed: before.failed + seen.failed }),
    retire: () => {
      retired = true;
      clearInterval(look);
      clearTimeout(retrying);
    },
    end: async () => {
      const process = current;
      if (!process) return;
      const late = setTimeout(() => process.kill(), CLOSING);
      await over(process, () => process.peer.tell('end', undefined));
      clearTimeout(late);
    },
  };
};
