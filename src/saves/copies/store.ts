import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defer, EMPTY, mergeMap, type Observable, of, Subject } from 'rxjs';
import {
  type Candidate,
  type CatalogEntry,
  type Dispatch,
  type FindCandidates,
  isWrongCopy,
  type Keep,
  type OpenSource,
  type StreamError,
} from '../../../pipelines/model/index.ts';
import { createSemaphore } from '../../lib/semaphore.ts';
import { messageOf } from '../../lib/thrown.ts';
import { makeChecks } from './checks.ts';
import { dispatchTo, type Refetching } from './dispatch.ts';
import { type CopyFigures, type Eviction, makeEviction } from './eviction.ts';
import { syncPath } from './files.ts';
import { folderShelf } from './folder-shelf.ts';
import { identified, storedCopies } from './inventory.ts';
import { keepIn } from './keep.ts';
import { makeKeyedMutex } from './keyed-mutex.ts';
import { findCopy, keyOf } from './names.ts';
import { offer } from './offer.ts';
import { openPartial } from './partial-folder.ts';
import { makeRoom } from './room.ts';
import { scrub } from './scrub.ts';
import type { StoreState } from './state.ts';
import { makeSweep, type Sweep } from './unwanted.ts';
import { type CopyUses, copyUses, setUse } from './uses.ts';
import { makeBacklog } from './write-backlog.ts';

/** The limit, `checked` and `shared` are read when they are used: they may change. */
export interface SaveStoreOptions extends Refetching {
  /** Made on first use. Copies and files in the making share its file system. */
  readonly folder: string;
  /**
   * Called for each copy that was abandoned, each wrong copy that was removed, and each error of
   * the disk. Must not throw.
   */
  readonly onError: (error: Error) => void;
  /** Bytes that may wait for the disk, of all copies together. */
  readonly backlogLimit?: number;
  /**
   * Bytes of all copies. Above it, the copies that were not used for the longest time are removed.
   * Larger content is not kept. Default: no limit.
   */
  readonly limit?: number;
  /**
   * Whether copies are offered with the sums of their blocks, so that each read compares them.
   * Default: true. If not, nothing proves the bytes of a copy.
   */
  readonly checked?: boolean;
  /** Whether the group of the folder may read new copies. Default: false. */
  readonly shared?: boolean;
  /** The name of the processes that share the folder on purpose. Default: this one alone. */
  readonly family?: string;
  /** Removes copies instead of this store, since another process does. */
  readonly eviction?: Eviction;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Saved copies: finds them, writes them during transfers, and removes what is too much or wrong. */
export interface SaveStore {
  /** Copies content during its transfer. A copy is abandoned if the disk refuses or is too slow. */
  readonly keep: Keep;
  /**
   * Completes once the copy will outlive a power cut: at once, after its commit, or after fetching
   * it again. Errors without fetching while the disk is full. Declines an entry that may not be
   * fetched, or that the catalog no longer has.
   */
  readonly dispatch: Dispatch;
  /** Opens candidates of this store, whose URLs no other source opens. Absent if they are files. */
  readonly open?: OpenSource;
  /**
   * Emits the copy of an entry if there is a right one, and completes. A copy without sums of its
   * blocks, or that was touched since, is read and verified first: up to 1 MiB at once, larger ones
   * in the background, so that a later request gets them. Errors with UNREADABLE if the disk fails.
   */
  readonly find: FindCandidates;
  /**
   * Verifies a copy that sent wrong bytes in the background. Until then it is not offered; a wrong
   * one is removed. Has no effect on candidates of other sources and for other errors.
   */
  failed(candidate: Candidate, error: StreamError): void;
  /**
   * Verifies all copies in the background, at a rate in bytes per second. Wrong ones are removed.
   * Emits nothing and never completes. Unsubscribing stops it.
   */
  scrub(rate: number): Observable<never>;
  /** Removes copies that no entry is of: see `makeSweep`. The entries are read to their end. */
  readonly sweep: Sweep;
  /** Reads when each copy was last used: see `copyUses`. */
  uses(): Promise<CopyUses>;
  /**
   * Has the copy of an entry count as last used at a time, in milliseconds since 1970: one that no
   * client has asked for yet. Waits for the work under way for it. Without effect if there is none, or
   * if the store sets such times itself.
   */
  dateBack(entry: CatalogEntry, usedAt: number): Promise<void>;
  /** The size of the copies, and what was removed for others. */
  figures(): CopyFigures;
  /** Removes copies above the limit, which may have changed. */
  limited(): void;
  /** For what other processes do with the copies. */
  readonly eviction: Pick<Eviction, 'used' | 'taken'>;
  /** Resolves after the commits under way. */
  close(): Promise<void>;
}

/**
 * Disk operations of copies at a time. Each holds one of libuv's four threads, which sources and
 * name look-ups need too.
 */
const DISK_LINES = 2;

/**
 * The embedded way to save: verified bytes as files in a folder. The file system is the only truth;
 * no index can disagree with it. A file under its final name was complete, synced and right when it
 * was renamed, so `kill -9` at any moment leaves nothing wrong. Its sidecar holds the header fields
 * of its transfer, which the copy is offered with, and the sums that each read compares its blocks
 * with.
 *
 * Files in the making lie in `.partial`, do not count towards the limit, and are removed by the
 * next start. The sidecars' times record the last use. A copy that is removed during a read is
 * still read to its end.
 */
export const createSaveStore = (options: SaveStoreOptions): SaveStore => {
  const store = openState(options);
  const { mutex, eviction, checks } = store;
  return {
    keep: keepIn(store),
    dispatch: dispatchTo(
      {
        isDone: (entry) => isDone(store, entry),
        obstacle: (entry) => obstacle(store, entry),
        tooLarge: store.tooLarge,
        abandoned: store.abandoned,
        valve: store.backlog.valve,
      },
      options,
    ),
    find: (entry) =>
      defer(() => offer(store, entry)).pipe(mergeMap((candidate) => (candidate ? of(candidate) : EMPTY))),
    failed: (candidate, error) => {
      if (!isWrongCopy(candidate, error)) return;
      checks.doubt(fileURLToPath(candidate.url));
      findCopy(store.folder, candidate.entry).then((copy) => copy && checks.check(copy), store.report);
    },
    scrub: (rate) =>
      scrub({
        begin: () => {
          // At another place each time, so that the last ones are reached even if the daemon often
          // starts anew.
          const all = storedCopies(store.folder, { start: Math.random() });
          return () => defer(() => all.next()).pipe(mergeMap(({ done, value }) => (done ? EMPTY : of(value))));
        },
        verify: (stored, pace) =>
          defer(() => identified(store.folder, stored)).pipe(
            mergeMap((copy) => (copy ? checks.scrub(copy, pace) : EMPTY)),
          ),
        rate,
        onError: store.report,
      }),
    sweep: makeSweep({ shelf: store.shelf, eviction, isAlone: store.partial.isAlone, now: store.now }),
    uses: () => copyUses(store.shelf),
    dateBack: (entry, usedAt) => mutex.run(keyOf(entry), () => setUse(store.folder, entry, usedAt)),
    figures: eviction.figures,
    limited: eviction.limited,
    eviction,
    close: async () => {
      await mutex.over();
      await eviction.over();
      store.partial.close();
    },
  };
};

const openState = (options: SaveStoreOptions): StoreState => {
  const { onError, backlogLimit, now = Date.now } = options;
  const folder = resolve(options.folder);
  const semaphore = createSemaphore(DISK_LINES);
  const report = (cause: unknown) => onError(cause instanceof Error ? cause : new Error(messageOf(cause), { cause }));
  const partial = openPartial(folder, report, options.family);
  const mutex = makeKeyedMutex(report);
  const shelf = folderShelf({ folder, semaphore, partial, exclusively: mutex.run, now });
  return {
    folder,
    shelf,
    partial,
    get limit() {
      return options.limit ?? 0;
    },
    get checked() {
      return options.checked ?? true;
    },
    get shared() {
      return options.shared ?? false;
    },
    backlog: makeBacklog(backlogLimit ?? 64 * 1024 * 1024),
    room: makeRoom(partial),
    semaphore,
    mutex,
    checks: makeChecks({ onError: report, exclusively: ({ key }, work) => mutex.run(key, work), partial }),
    eviction:
      options.eviction ??
      makeEviction({ shelf, limit: () => options.limit ?? 0, exclusively: mutex.run, onError: report, now }),
    tooLarge: new Set(),
    abandoned: new Subject(),
    report,
    now,
  };
};

/**
 * Whether nothing is left to save, after the work under way for the entry: it has a right copy that
 * will last, or is too large to be kept.
 */
const isDone = async (store: StoreState, entry: CatalogEntry): Promise<boolean> => {
  const { folder, mutex, tooLarge, limit, checks, semaphore, report } = store;
  const key = keyOf(entry);
  await mutex.over(key);
  if (tooLarge.delete(key)) {
    report(new Error(`${entry.path} is not kept: it exceeds the limit of all copies (save_limit = ${limit} bytes)`));
    return true;
  }
  const copy = await findCopy(folder, entry);
  if (!copy) return false;
  if (checks.known(copy)) return true;
  // An earlier process made it, and may have been killed before its folder was synced.
  if (!(await checks.check(copy))) return false;
  await semaphore(() => syncPath(dirname(copy.path)));
  return true;
};

const obstacle = async ({ room }: StoreState, { size = 0 }: CatalogEntry): Promise<string | undefined> =>
  (await room.has(size)) ? undefined : 'the disk is full: nothing is fetched until it has room';
