import { readdir, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join, parse, relative, sep } from 'node:path';
import type { Semaphore } from '../../lib/semaphore.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import type { Copy } from './copy.ts';
import { removeIfEmpty } from './files.ts';
import { copyOf, isSidecar, removeCopy, sidecarOf } from './sidecar.ts';

/** Bytes of all copies, which are only counted if there is a limit, and what was removed for it. */
export interface CopyFigures {
  readonly bytes?: number;
  /** Since the start. */
  readonly evicted: number;
  readonly evictedBytes: number;
}

/** Keeps all copies together within a limit: the least recently used ones are removed. */
export interface Eviction {
  /** Records that a copy was just offered. */
  used(copy: Pick<Copy, 'key' | 'path'>): void;
  /** Records that a new copy was put in place. */
  taken(bytes: number): void;
  /**
   * Removes a copy, unless it was used later than that (milliseconds since 1970). Resolves to its
   * bytes; `undefined` if it stays.
   */
  drop(path: string, usedAt: number): Promise<number | undefined>;
  figures(): CopyFigures;
  /** The limit may have changed. */
  limited(): void;
  /** Resolves when no copies are being removed. */
  over(): Promise<void>;
}

interface EvictionOptions {
  readonly folder: string;
  /** Bytes; 0: no limit. It may change: see `limited`. */
  readonly limit: () => number;
  readonly semaphore: Semaphore;
  /** Runs work while no other work moves the files of a key. Never rejects. */
  readonly exclusively: (key: string, work: () => Promise<void>) => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Uses kept in memory, in addition to those on disk, which survive a restart. */
const REMEMBERED = 100_000;
/** Milliseconds for which a use may be in memory only. A restart forgets that much of the order. */
const UNWRITTEN = 3_600_000;
/** Milliseconds after which a sidecar without a copy is removed. */
const ORPHANED = 3_600_000;
/** The part of the limit to which copies are removed, to avoid a scan for every new copy. */
const GOAL = 0.9;

interface Found {
  readonly path: string;
  readonly size: number;
  readonly usedAt: number;
}

export const makeEviction = ({ folder, limit, semaphore, exclusively, onError, now }: EvictionOptions): Eviction => {
  const recent = new Map<string, { readonly at: number; readonly written: number }>();
  let total = 0;
  /** Bytes added during a scan, which the scan may have missed. */
  let came = 0;
  let sweeping: Promise<void> | undefined;
  /** The copies were counted once. */
  let counted = false;
  let evicted = 0;
  let evictedBytes = 0;
  const most = () => limit() || Number.POSITIVE_INFINITY;

  /**
   * Writes a use as the time of the copy's sidecar. The copy stays untouched, because any change
   * causes a new verification. The kernel's access times are not usable: it may record no reads
   * (`noatime`), or one per day (`relatime`).
   */
  const write = ({ key, path }: Pick<Copy, 'key' | 'path'>, at: number) =>
    exclusively(key, async () => {
      await unlessMissing(utimes(sidecarOf(path), at / 1000, at / 1000));
    });

  const lookAt = async (path: string): Promise<Found | undefined> => {
    const copy = await semaphore(() => unlessMissing(stat(path)));
    const sidecar = await semaphore(() => unlessMissing(stat(sidecarOf(path))));
    if (!copy) return undefined;
    return { path, size: copy.size, usedAt: Math.max(sidecar?.mtimeMs ?? copy.atimeMs, recent.get(path)?.at ?? 0) };
  };

  /**
   * Removes a leftover of a killed process. A recent sidecar is kept: another process may be about
   * to put its copy in place.
   */
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

  const drop = async (path: string, usedAt: number): Promise<number | undefined> => {
    let removed: number | undefined;
    await exclusively(keyAt(folder, path), async () => {
      const copy = await lookAt(path);
      if (!copy || copy.usedAt > usedAt) return;
      await removeCopy(path);
      removed = copy.size;
      recent.delete(path);
      total -= copy.size;
      if (isAlone(folder, path)) await removeIfEmpty(dirname(path));
    });
    return removed;
  };

  const sweep = async (): Promise<void> => {
    do {
      came = 0;
      const found = await find();
      let certain = found.reduce((sum, { size }) => sum + size, 0);
      total = certain + came;
      counted = true;
      if (total <= most()) return;
      // Copies that came during the scan may have been counted twice: the next scan corrects that.
      for (const copy of found.toSorted((a, b) => a.usedAt - b.usedAt)) {
        if (certain <= most() * GOAL) break;
        // Not if it was used or replaced since it was found.
        const bytes = await drop(copy.path, copy.usedAt);
        if (bytes === undefined) continue;
        certain -= bytes;
        evicted += 1;
        evictedBytes += bytes;
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
  const limited = () => {
    if (limit() > 0) look();
  };
  limited();

  return {
    limited,
    drop,
    used: (copy) => {
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
      if (total > most()) look();
    },
    figures: () => ({ ...(counted && { bytes: total }), evicted, evictedBytes }),
    over: async () => sweeping,
  };
};

/** `ab/cdef….rpm`, `ab/cdef…/SHA256.rpm`: the key is `abcdef…`. */
export const keyAt = (folder: string, path: string): string => {
  const [two = '', name = ''] = relative(folder, path).split(sep);
  return two + (isAlone(folder, path) ? name : parse(name).name);
};

/** Whether the copy has a separate folder. */
export const isAlone = (folder: string, path: string): boolean => relative(folder, dirname(path)).includes(sep);
