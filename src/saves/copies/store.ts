import { createHash, randomUUID } from 'node:crypto';
import { rename, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  concat,
  defer,
  EMPTY,
  filter,
  ignoreElements,
  mergeMap,
  type Observable,
  of,
  Subject,
  takeUntil,
  takeWhile,
  tap,
  throwError,
} from 'rxjs';
import {
  type Candidate,
  type CatalogEntry,
  type Dispatch,
  etagOf,
  type FindCandidates,
  type Header,
  type Keep,
  StreamError,
} from '../../../pipelines/model/index.ts';
import type { Valve } from '../../../pipelines/operators/flow.ts';
import { contentType } from '../../lib/content-type.ts';
import { makeFolder } from '../../lib/private-files.ts';
import { messageOf } from '../../lib/thrown.ts';
import { makeChecks, SMALL } from './checks.ts';
import type { Copy } from './copy.ts';
import { makeEviction } from './eviction.ts';
import { syncPath, unlessMissing, writeNew } from './files.ts';
import { makeKeyedMutex } from './keyed-mutex.ts';
import { findCopy, keyOf, placeOf } from './names.ts';
import { startPartialCopy } from './partial-copy.ts';
import { openPartial } from './partial-folder.ts';
import { createSemaphore } from './semaphore.ts';
import { contentFields, removeCopy, sidecarOf, sidecarText } from './sidecar.ts';
import { makeBacklog } from './write-backlog.ts';

export interface SaveStoreOptions {
  /** Made on first use. Copies and files in the making share its file system. */
  readonly folder: string;
  /** Told of copies that gave themselves up, of wrong ones that were removed, and of what the disk refused. Must not throw. */
  readonly onError: (error: Error) => void;
  /**
   * Fetches an entry anew through the pipeline, with `keep`; emits the entry that it got, which may be another one of the same path by now, and
   * completes when that is over. The valve is closed while the disk cannot keep up. Without it, what was not kept while it was
   * streamed cannot be saved.
   */
  readonly fetch?: (entry: CatalogEntry, valve: Valve) => Observable<CatalogEntry>;
  /** Bytes that may wait for the disk, all copies together. */
  readonly backlogLimit?: number;
  /** Bytes of all copies; past it those go that were not used for the longest time. Larger content is not kept at all. Default: no limit. */
  readonly limit?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface SaveStore {
  /** Copies content while it streams; a copy gives itself up where the disk refuses or is too slow. */
  readonly keep: Keep;
  /** Completes when the copy will outlive a power cut: at once, when its commit is over, or after fetching it again. */
  readonly dispatch: Dispatch;
  /**
   * Emits the copy of an entry, `{ source: 'saved', isCopy: true, headers }`, if there is one that is right, and completes. A copy not yet seen by
   * this process, or touched since, is read and checked first: up to 1 MiB at once, larger ones in the background, offered later.
   * Errors with UNREADABLE where the disk cannot be asked.
   */
  readonly find: FindCandidates;
  /** Resolves when the commits under way are over. */
  close(): Promise<void>;
}

/** Disk operations of copies at a time. Each holds one of the threads (libuv has four) that sources and name look-ups need too. */
const DISK_LINES = 2;

/**
 * The embedded way to save: verified bytes as files in a folder. The file system is the only truth, there is no index to disagree with it:
 * a file under its final name was whole, synced and right when it was renamed to it, so `kill -9` at any moment leaves nothing wrong. Beside
 * it lies its sidecar: what its transfer said of the content, which the copy is offered with.
 * What is in the making lies in `.partial`, beyond the limit, and is removed by the next start. The sidecars' times tell what was used
 * last; a copy that has to go while it is read is read to its end all the same.
 *
 * Throws where the folder cannot be made.
 */
export const createSaveStore = (options: SaveStoreOptions): SaveStore => {
  const folder = resolve(options.folder);
  const partial = openPartial(folder);
  const backlog = makeBacklog(options.backlogLimit ?? 64 * 1024 * 1024);
  const semaphore = createSemaphore(DISK_LINES);
  const gaveUp = new Subject<string>();

  const tell = (cause: unknown) =>
    options.onError(cause instanceof Error ? cause : new Error(messageOf(cause), { cause }));
  const mutex = makeKeyedMutex(tell);
  const checks = makeChecks({ onError: tell, exclusively: ({ key }, work) => mutex.run(key, work) });
  const { limit = 0, now = Date.now } = options;
  const eviction = makeEviction({ folder, limit, semaphore, exclusively: mutex.run, onError: tell, now });
  const tooLarge = new Set<string>();

  /** Whether content of so many bytes can never be kept. The wish to save it has to know. */
  const isTooLarge = (key: string, bytes: number) => {
    if (limit > 0 && bytes > limit) tooLarge.add(key);
    return tooLarge.has(key);
  };

  /** Gives a finished file its final name. The first of several wins, unless it is not known to be right. */
  const place = async (entry: CatalogEntry, key: string, file: string, headers: readonly Header[], sha256 = '') => {
    const there = await findCopy(folder, entry, key);
    if (there && checks.known(there)) return unlink(file);
    const path = placeOf(folder, entry, key, sha256);
    const bare = !entry.checksum;
    const text = sidecarText(entry.checksum ?? { algorithm: 'sha256', value: sha256 }, headers);
    // Without a checksum it alone tells what the bytes are: a power cut must not take it and leave them. Otherwise it is not worth a wait
    // for the disk: a copy without it says less.
    await semaphore(() => writeNew(sidecarOf(file), text, bare));
    const made = await makeFolder(dirname(path));
    // Its time is that of the copy's last use.
    await utimes(sidecarOf(file), now() / 1000, now() / 1000);
    // First, so that no copy is ever without it; until its copy comes, it counts for nothing.
    await rename(sidecarOf(file), sidecarOf(path));
    if (bare) await semaphore(() => syncPath(dirname(path)));
    await rename(file, path);
    // New folders too must outlive a power cut, hence those above them.
    for (let at = dirname(path); ; at = dirname(at)) {
      const changed = at;
      await semaphore(() => syncPath(changed));
      if (made === undefined || at === folder) break;
    }
    const stats = await stat(path, { bigint: true });
    checks.trust(path, stats, headers);
    eviction.taken(Number(stats.size));
    if (there && there.path !== path) await removeCopy(there.path);
  };

  const keep: Keep = (entry, length = entry.size ?? 0, headers) => {
    const key = keyOf(entry);
    if (isTooLarge(key, length)) return undefined;
    let written = 0;
    const file = join(partial, randomUUID());
    const own = entry.checksum ? undefined : createHash('sha256');
    const fields = contentFields(headers);
    const copy = startPartialCopy({
      file,
      backlog,
      semaphore,
      onError: (cause) => {
        tell(new Error(`the copy of ${entry.path} gave itself up: ${messageOf(cause)}`, { cause }));
        gaveUp.next(key);
      },
    });
    return {
      write: (bytes) => {
        own?.update(bytes);
        written += bytes.length;
        if (!isTooLarge(key, written)) return copy.write(bytes);
        copy.abort();
        gaveUp.next(key);
      },
      commit: () => {
        const finished = copy.finish();
        mutex.run(key, async () => {
          if (!(await finished)) return;
          await place(entry, key, file, fields, own?.digest('hex')).catch(async (error: unknown) => {
            await Promise.all([file, sidecarOf(file)].map((path) => unlessMissing(unlink(path))));
            throw error;
          });
        });
      },
      abort: () => {
        const gone = copy.abort();
        mutex.run(key, async () => {
          await gone;
        });
      },
    };
  };

  /** Whether nothing is left to do: there is a right copy that will last, once what is under way for the entry is over, or can be none. */
  const has = async (entry: CatalogEntry): Promise<boolean> => {
    const key = keyOf(entry);
    await mutex.over(key);
    if (tooLarge.delete(key)) {
      tell(new Error(`${entry.path} is not kept: it has more than the ${limit} bytes that all copies may have`));
      return true;
    }
    const copy = await findCopy(folder, entry);
    if (!copy) return false;
    if (checks.known(copy)) return true;
    // Of an earlier process, which may have been killed before its folder was synced.
    if (!(await checks.check(copy))) return false;
    await semaphore(() => syncPath(dirname(copy.path)));
    return true;
  };

  const unless = (condition: () => Promise<boolean>, otherwise: Observable<never>): Observable<never> =>
    defer(condition).pipe(mergeMap((holds) => (holds ? EMPTY : otherwise)));

  const fetchAgain = (wished: CatalogEntry): Observable<never> =>
    defer(() => {
      let entry = wished;
      const stopped = gaveUp.pipe(filter((key) => key === keyOf(entry)));
      const noCopy = throwError(() => new Error(`there is no copy of ${entry.path}, and none could be made`));
      return concat(
        (options.fetch?.(wished, backlog.valve) ?? EMPTY).pipe(
          tap((found) => {
            entry = found;
          }),
          takeWhile((found) => !tooLarge.has(keyOf(found))),
          takeUntil(stopped),
          ignoreElements(),
        ),
        unless(() => has(entry), noCopy),
      );
    });

  const offer = async (entry: CatalogEntry): Promise<Candidate | undefined> => {
    const copy = await findCopy(folder, entry);
    if (!copy) return undefined;
    let known = checks.known(copy);
    if (!known) {
      const checking = checks.check(copy);
      known = copy.stats.size > SMALL ? undefined : await checking;
    }
    if (!known) return undefined;
    eviction.used(copy);
    const url = pathToFileURL(copy.path).href;
    return {
      entry,
      source: { kind: 'saved', id: '' },
      url,
      root: folder,
      headers: known.headers ?? unsaid(entry, copy),
    };
  };

  return {
    keep,
    dispatch: ({ entry }) => unless(() => has(entry), fetchAgain(entry)),
    find: (entry) =>
      defer(() =>
        offer(entry).catch((cause: unknown) => {
          throw new StreamError('UNREADABLE', 'disk', `the copy of ${entry.path}: ${messageOf(cause)}`, { cause });
        }),
      ).pipe(mergeMap((candidate) => (candidate ? of(candidate) : EMPTY))),
    close: async () => {
      await mutex.over();
      await eviction.over();
    },
  };
};

/**
 * The header fields of a copy whose transfer is unknown: what its name and its proven content say.
 * The file's time is that of saving, which is not when the content was modified.
 */
const unsaid = ({ path }: CatalogEntry, { checksum }: Copy): readonly Header[] => [
  ['Content-Type', contentType(path)],
  ['ETag', etagOf(checksum)],
];
