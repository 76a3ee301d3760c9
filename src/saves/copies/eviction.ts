import type { Copy } from './copy.ts';
import type { Shelf, StoredCopy } from './shelf.ts';

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
  readonly shelf: Pick<Shelf, 'copies' | 'look' | 'remove' | 'use' | 'unwritten' | 'keyAt'>;
  /** Bytes; 0: no limit. It may change: see `limited`. */
  readonly limit: () => number;
  /** Runs work while no other work moves the files of a key. Never rejects. */
  readonly exclusively: (key: string, work: () => Promise<void>) => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Uses kept in memory, in addition to those on disk, which survive a restart. */
const REMEMBERED = 100_000;
/** The part of the limit to which copies are removed, to avoid a scan for every new copy. */
const GOAL = 0.9;

type Found = Pick<StoredCopy, 'path' | 'size' | 'usedAt'>;

export const makeEviction = ({ shelf, limit, exclusively, onError, now }: EvictionOptions): Eviction => {
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

  const usedAt = ({ path, usedAt }: StoredCopy): number => Math.max(usedAt, recent.get(path)?.at ?? 0);

  const find = async (): Promise<readonly Found[]> => {
    const found: Found[] = [];
    for await (const copy of shelf.copies({ tidying: true }))
      found.push({ path: copy.path, size: copy.size, usedAt: usedAt(copy) });
    return found;
  };

  const drop = async (path: string, unlessUsedAfter: number): Promise<number | undefined> => {
    let removed: number | undefined;
    await exclusively(shelf.keyAt(path), async () => {
      const copy = await shelf.look(path);
      if (!copy || usedAt(copy) > unlessUsedAfter || !(await shelf.remove(copy))) return;
      removed = copy.size;
      recent.delete(path);
      total -= copy.size;
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
      const written = at - before > shelf.unwritten ? at : before;
      recent.delete(copy.path);
      recent.set(copy.path, { at, written });
      const [oldest] = recent.keys();
      if (recent.size > REMEMBERED && oldest !== undefined) recent.delete(oldest);
      if (written === at) void exclusively(copy.key, () => shelf.use(copy, at));
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
