import { readdir, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join, parse, relative, sep } from 'node:path';
import type { Copy } from './copy.ts';
import { removeIfEmpty, unlessMissing } from './files.ts';
import type { Semaphore } from './semaphore.ts';
import { copyOf, isSidecar, removeCopy, sidecarOf } from './sidecar.ts';

/** Keeps all copies together within a limit: those not used for the longest time have to go. */
export interface Eviction {
  /** A copy was just offered. */
  used(copy: Copy): void;
  /** A copy of so many bytes came to its place. */
  taken(bytes: number): void;
  /** Resolves when no copies are being removed. */
  over(): Promise<void>;
}

interface EvictionOptions {
  readonly folder: string;
  /** Bytes; 0: no limit. */
  readonly limit: number;
  readonly semaphore: Semaphore;
  /** Runs work alone among all that moves the files of a key. Never rejects. */
  readonly exclusively: (key: string, work: () => Promise<void>) => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Uses that are remembered beside those that are written, which a restart keeps. */
const REMEMBERED = 100_000;
/** Milliseconds for which a use is remembered only: what a restart may forget of the order. */
const UNWRITTEN = 3_600_000;
/** Milliseconds after which a sidecar without its copy will not get one. */
const ORPHANED = 3_600_000;
/** Removing begins above the limit and goes on to this part of it, so that not every new copy needs a look at all the others. */
const GOAL = 0.9;

interface Found {
  readonly path: string;
  readonly size: number;
  readonly usedAt: number;
}

export const makeEviction = ({ folder, limit, semaphore, exclusively, onError, now }: EvictionOptions): Eviction => {
  const recent = new Map<string, { readonly at: number; readonly written: number }>();
  let total = 0;
  /** Bytes that came while all were being counted, which may not have been counted. */
  let came = 0;
  let sweeping: Promise<void> | undefined;

  /**
   * A use is written as the time of the copy's sidecar. The copy itself stays untouched: whatever touches it has it checked again. The
   * kernel's access times are no help: it may note no read (`noatime`), or one a day (`relatime`).
   */
  const write = ({ key, path }: Copy, at: number) =>
    exclusively(key, async () => {
      await unlessMissing(utimes(sidecarOf(path), at / 1000, at / 1000));
    });

  const lookAt = async (path: string): Promise<Found | undefined> => {
    const copy = await semaphore(() => unlessMissing(stat(path)));
    const sidecar = await semaphore(() => unlessMissing(stat(sidecarOf(path))));
    if (!copy) return undefined;
    return { path, size: copy.size, usedAt: Math.max(sidecar?.mtimeMs ?? copy.atimeMs, recent.get(path)?.at ?? 0) };
  };

  /** What a killed process left. The copy of a young one may be on its way, put in place by another process. */
  const removeOrphan = (sidecar: string) =>
    exclusively(keyAt(folder, copyOf(sidecar)), async () => {
      const [stats, copy] = await Promise.all([sidecar, copyOf(sidecar)].map((path) => unlessMissing(stat(path))));
      if (!stats || copy || now() - stats.mtimeMs < ORPHANED) return;
      await unlink(sidecar);
      if (isAlone(folder, sidecar)) await removeIfEmpty(dirname(sidecar));
    });

  const find = async (): Promise<readonly Found[]> => {
    const found: Found[] = [];
    for (const two of await readdir(folder)) {
      if (two.startsWith('.')) continue;
      const names = await readdir(join(folder, two), { recursive: true, withFileTypes: true });
      const paths = new Set(names.flatMap((name) => (name.isFile() ? [join(name.parentPath, name.name)] : [])));
      for (const path of paths) {
        if (isSidecar(path)) {
          if (!paths.has(copyOf(path))) await removeOrphan(path);
          continue;
        }
        const copy = await lookAt(path);
        if (copy) found.push(copy);
      }
    }
    return found;
  };

  const remove = ({ path, usedAt }: Found) =>
    exclusively(keyAt(folder, path), async () => {
      const copy = await lookAt(path);
      // Used, or made anew, since it was looked at.
      if (!copy || copy.usedAt > usedAt) return;
      await removeCopy(path);
      recent.delete(path);
      total -= copy.size;
      if (isAlone(folder, path)) await removeIfEmpty(dirname(path));
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
      const before = recent.get(copy.path)?.written ?? 0;
      const written = at - before > UNWRITTEN ? at : before;
      recent.delete(copy.path);
      recent.set(copy.path, { at, written });
      const [oldest] = recent.keys();
      if (recent.size > REMEMBERED && oldest !== undefined) recent.delete(oldest);
      if (written === at) void write(copy, at);
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
export const keyAt = (folder: string, path: string): string => {
  const [two = '', name = ''] = relative(folder, path).split(sep);
  return two + (isAlone(folder, path) ? name : parse(name).name);
};

/** Whether a copy has a folder of its own. */
export const isAlone = (folder: string, path: string): boolean => relative(folder, dirname(path)).includes(sep);
