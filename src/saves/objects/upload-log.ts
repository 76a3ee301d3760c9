import { appendFile, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeFolder } from '../../lib/private-files.ts';
import { codeOf } from '../../lib/thrown.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import type { Unfinished } from './bucket.ts';

type Named = Omit<Unfinished, 'began'>;

/**
 * The uploads of this process that are not finished, in a file: the store does not say whose an upload
 * is, and another streamer may use the same bucket.
 */
export interface UploadLog {
  began(upload: Named): Promise<void>;
  ended(upload: Named): Promise<void>;
  /** Notes that one could not be aborted: it stays unfinished. */
  left(upload: Named): void;
  /** Aborts what was left. Rejects at the first that cannot be; it and the others are tried the next time. */
  clear(abort: (upload: Named) => Promise<void>): Promise<void>;
}

const ENDING = '.uploads';

/** The log of this process, in a folder that it shares with the others of its daemon. */
export const openUploadLog = (folder: string, process: string): UploadLog => {
  const file = join(folder, `${process}${ENDING}`);
  const running = new Set<string>();
  const left = new Map<string, Named>();
  let clearing: Promise<void> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
  const log: UploadLog = {
    began: ({ name, upload }) =>
      inTurn(async () => {
        running.add(upload);
        await makeFolder(folder);
        await appendFile(file, `${JSON.stringify({ name, upload })}\n`, { mode: 0o600 });
      }),
    ended: ({ upload }) =>
      inTurn(async () => {
        running.delete(upload);
        // One that is aborted again is not there, which is as good.
        if (running.size === 0) await rm(file, { force: true });
      }),
    left: (upload) => void left.set(upload.upload, upload),
    // One at a time: the store may just have begun to answer.
    clear: (abort) => {
      clearing ??= abortAll(abort).finally(() => {
        clearing = undefined;
      });
      return clearing;
    },
  };
  const abortAll = async (abort: (upload: Named) => Promise<void>): Promise<void> => {
    for (const [id, upload] of left) {
      await abort(upload);
      left.delete(id);
      await log.ended(upload);
    }
  };
  return log;
};

/** The logs that processes have left, if none of this daemon uploads yet. */
export const leftLogs = async (folder: string): Promise<readonly string[]> =>
  ((await unlessMissing(readdir(folder))) ?? [])
    .filter((name) => name.endsWith(ENDING))
    .map((name) => join(folder, name));

/** The name of a process in the logs of its daemon. */
export const nameInLogs = (family: string, pid = process.pid): string => `${family}.${pid}`;

/** The logs of processes of a daemon that have ended while others of it go on. */
export const logsOfEnded = async (folder: string, family: string): Promise<readonly string[]> => {
  const pidOf = (file: string) => Number(basename(file, ENDING).slice(family.length + 1));
  const ofFamily = (file: string) => basename(file).startsWith(`${family}.`);
  return (await leftLogs(folder)).filter((file) => ofFamily(file) && !isRunning(pidOf(file)));
};

/** A process that has got the number of an ended one counts as running: the next start clears that log. */
const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
};

/** Calls `abort` with each upload in some logs, and removes each log after its last one. */
export const clearUploads = async (logs: readonly string[], abort: (upload: Named) => Promise<void>): Promise<void> => {
  for (const file of logs) {
    // Another process may have cleared it in between.
    for (const line of ((await unlessMissing(readFile(file, 'utf8'))) ?? '').split('\n')) {
      const upload = namedIn(line);
      if (upload) await abort(upload);
    }
    await rm(file, { force: true });
  }
};

/** The last line may be incomplete. */
const namedIn = (line: string): Named | undefined => {
  try {
    const { name, upload } = JSON.parse(line);
    return typeof name === 'string' && typeof upload === 'string' ? { name, upload } : undefined;
  } catch {
    return undefined;
  }
};
