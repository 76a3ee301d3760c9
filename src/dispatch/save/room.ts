import type { BigIntStats } from 'node:fs';
import { readdir, rmdir, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join, parse, relative, sep } from 'node:path';
import type { InLine } from './at-most.ts';
import { signatureOf, unlessMissing } from './files.ts';
import type { Copy } from './names.ts';

/** Keeps all copies together within a limit: those not used for the longest time have to go. */
export interface Room {
  /** A copy was just offered. */
  used(copy: Copy): void;
  /** A copy of so many bytes came to its place. */
  taken(bytes: number): void;
  /** Resolves when no copies are being removed. */
  over(): Promise<void>;
}

interface RoomOptions {
  readonly folder: string;
  /** Bytes; 0: no limit. */
  readonly limit: number;
  readonly inLine: InLine;
  /** Runs work alone among all that moves the files of a key. Never rejects. */
  readonly alone: (key: string, work: () => Promise<void>) => Promise<void>;
  /** A copy's times were set, its content was not touched. */
  readonly touched: (path: string, stats: BigIntStats) => void;
  readonly onError: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Uses that are remembered beside the file system's access times, which a restart keeps. */
const REMEMBERED = 100_000;
/** Milliseconds for which a use is remembered only: what a restart may forget of the order. */
const UNWRITTEN = 3_600_000;
/** Removing begins above the limit and goes on to this part of it, so that not every new copy needs a look at all the others. */
const GOAL = 0.9;

interface Found {
  readonly path: string;
  readonly size: number;
  readonly usedAt: number;
}

export const makeRoom = ({ folder, limit, inLine, alone, touched, onError, now }: RoomOptions): Room => {
  const recent = new Map<string, number>();
  let total = 0;
  /** Bytes that came while all were being counted, which may not have been counted. */
  let came = 0;
  let sweeping: Promise<void> | undefined;

  /** The kernel may never note a read (`noatime`) or note one a day (`relatime`): uses are written as access times by ourselves. */
  const touch = ({ key, path, stats }: Copy) =>
    alone(key, async () => {
      const before = await unlessMissing(stat(path, { bigint: true }));
      // Only whole seconds can be set again as they are; what was touched has to be checked, and must not look as if it had been.
      const modified = Number(stats.mtimeNs) / 1e9;
      if (!before || signatureOf(before) !== signatureOf(stats) || !Number.isInteger(modified)) return;
      await utimes(path, now() / 1000, modified);
      touched(path, await stat(path, { bigint: true }));
    });

  const find = async (): Promise<readonly Found[]> => {
    const found: Found[] = [];
    for (const two of await readdir(folder)) {
      if (two.startsWith('.')) continue;
      const names = await readdir(join(folder, two), { recursive: true, withFileTypes: true });
      for (const name of names) {
        if (!name.isFile()) continue;
        const path = join(name.parentPath, name.name);
        const stats = await inLine(() => unlessMissing(stat(path)));
        if (stats) found.push({ path, size: stats.size, usedAt: Math.max(stats.atimeMs, recent.get(path) ?? 0) });
      }
    }
    return found;
  };

  const remove = ({ path, usedAt }: Found) =>
    alone(keyAt(folder, path), async () => {
      // Used, or made anew, since it was looked at.
      if ((recent.get(path) ?? 0) > usedAt) return;
      const stats = await unlessMissing(stat(path));
      if (!stats || stats.atimeMs > usedAt) return;
      await unlink(path);
      recent.delete(path);
      total -= stats.size;
      if (isAlone(folder, path)) await rmdir(dirname(path));
    });

  const sweep = async (): Promise<void> => {
    do {
      came = 0;
      const found = await find();
      total = found.reduce((sum, { size }) => sum + size, came);
      if (total <= limit) return;
      for (const copy of found.toSorted((a, b) => a.usedAt - b.usedAt)) {
        if (total <= limit * GOAL) return;
        await remove(copy);
      }
    } while (came > 0);
  };

  const look = () => {
    sweeping ??= sweep()
      .catch((error: unknown) => onError(error))
      .finally(() => {
        sweeping = undefined;
      });
  };
  if (limit > 0) look();

  return {
    used: (copy) => {
      if (limit === 0) return;
      const at = now();
      recent.delete(copy.path);
      recent.set(copy.path, at);
      const [oldest] = recent.keys();
      if (recent.size > REMEMBERED && oldest !== undefined) recent.delete(oldest);
      if (at - Number(copy.stats.atimeMs) > UNWRITTEN) void touch(copy);
    },
    taken: (bytes) => {
      total += bytes;
      came += bytes;
      if (limit > 0 && total > limit) look();
    },
    over: async () => sweeping,
  };
};

/** `ab/cdef….rpm`, `ab/cdef…/SHA256.rpm`: the key is `abcdef…`. */
const keyAt = (folder: string, path: string): string => {
  const [two = '', name = ''] = relative(folder, path).split(sep);
  return two + (isAlone(folder, path) ? name : parse(name).name);
};

/** Whether a copy has a folder of its own. */
const isAlone = (folder: string, path: string): boolean => relative(folder, dirname(path)).includes(sep);
