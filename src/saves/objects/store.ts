import { setTimeout } from 'node:timers/promises';
import { defer, EMPTY, lastValueFrom, mergeMap, of, Subject } from 'rxjs';
import {
  type Candidate,
  type CatalogEntry,
  isWrongCopy,
  type StreamError,
  toStreamError,
} from '../../../pipelines/model/index.ts';
import { createSemaphore } from '../../lib/semaphore.ts';
import { messageOf } from '../../lib/thrown.ts';
import { dispatchTo, type Refetching } from '../copies/dispatch.ts';
import { type Eviction, makeEviction } from '../copies/eviction.ts';
import { makeKeyedMutex } from '../copies/keyed-mutex.ts';
import { keyOf } from '../copies/names.ts';
import { scrub } from '../copies/scrub.ts';
import type { Shelf, StoredCopy } from '../copies/shelf.ts';
import type { SaveStore } from '../copies/store.ts';
import { makeSweep } from '../copies/unwanted.ts';
import { copyUses } from '../copies/uses.ts';
import { makeBacklog } from '../copies/write-backlog.ts';
import { makeBreaker } from './breaker.ts';
import type { Bucket } from './bucket.ts';
import { bucketShelf } from './bucket-shelf.ts';
import { makeIntake } from './intake.ts';
import { isCrowded, keepIn } from './keep.ts';
import { type KnownCopy, makeKnown } from './known.ts';
import { descriptionName, parseName } from './names.ts';
import { readCopies } from './read.ts';
import type { ObjectState } from './state.ts';
import { clearUploads, logsOfEnded, nameInLogs, openUploadLog } from './upload-log.ts';

export interface ObjectStoreOptions extends Refetching {
  readonly bucket: Bucket;
  /**
   * The folder for what this process remembers of its uploads, and its name there: that of its daemon, and its number.
   */
  readonly uploads: { readonly folder: string; readonly family: string };
  /** As for a store in a folder. */
  readonly onError: (error: Error) => void;
  /** Called with the reason when the store stops answering, and without one when it does again. */
  readonly onChange: (problem: StreamError | undefined) => void;
  /** Called with what was wrong in the store, after it was mended. */
  readonly onMended: (what: string) => void;
  /** Bytes of all copies; 0: no limit. It may change. Default: no limit. */
  readonly limit?: () => number;
  /** Bytes that may wait for the store, of all copies together. */
  readonly backlogLimit?: number;
  /** Removes copies instead of this store, since another process does. */
  readonly eviction?: Eviction;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Milliseconds for what is under way when the store is closed: one that hangs must not hold up a stop.
 * Save requests make up for it.
 */
const CLOSING = 5_000;
/** Parts and small objects that are sent at a time. */
const LINES = 4;
/** Bytes that may wait for the store: each upload of a long file fills one part. */
const BACKLOG = 128 * 1024 * 1024;

/**
 * The way to save in an object store: verified bytes as objects of a bucket, which several streamers
 * may share. An object is visible only after the digest of the whole was right, and its description is
 * stored after it. So a process that is killed at any moment leaves nothing wrong: only uploads that
 * nobody sees, which are aborted when the store answers again, at the latest by the next start.
 *
 * A store that does not answer costs a request nothing but the time to find out, once in a while: the
 * next sources are asked, nothing is kept, and save requests wait in the outbox.
 */
export const createObjectStore = (options: ObjectStoreOptions): SaveStore => {
  const store = stateOf(options);
  const { bucket, known, mutex, eviction, shelf, report } = store;

  // Streamers that share a bucket have the same catalog: see docs/how-to/object-storage.md.
  const sweep = makeSweep({
    shelf: { copies: () => shelf.copies({ tidying: true }) },
    ...{ eviction, isAlone: () => true, now: store.now },
  });

  const doubt = async ({ key, name }: KnownCopy, { checksum }: CatalogEntry) => {
    known.forget(key);
    const copy = await shelf.look(name);
    if (!copy) return;
    const found = await lastValueFrom(shelf.examine(copy, checksum));
    if (typeof found === 'object') await removeWrong(store, copy, found);
  };

  return {
    keep: keepIn(store),
    dispatch: dispatchTo(
      {
        isDone: (entry) => isDone(store, entry),
        obstacle: async ({ size }) =>
          isCrowded(store, size)
            ? 'other copies fill the room for what waits for the object store'
            : store.intake.obstacle(),
        tooLarge: store.tooLarge,
        abandoned: store.abandoned,
        valve: store.backlog.valve,
      },
      options,
    ),
    open: readCopies(store),
    find: (entry) => defer(() => offer(store, entry)).pipe(mergeMap((found) => (found ? of(found) : EMPTY))),
    failed: (candidate, error) => {
      if (!isWrongCopy(candidate, error)) return;
      const copy = known.get(keyAt(bucket, candidate.url));
      if (copy) doubt(copy, candidate.entry).catch(report);
    },
    scrub: (rate) =>
      scrub({
        begin: () => {
          const all = shelf.copies({ start: Math.random() })[Symbol.asyncIterator]();
          return () => defer(() => all.next()).pipe(mergeMap(({ done, value }) => (done ? EMPTY : of(value))));
        },
        verify: (copy, pace) =>
          shelf
            .examine(copy, undefined, pace)
            .pipe(mergeMap((found) => (typeof found === 'string' ? EMPTY : removeWrong(store, copy, found)))),
        rate,
        onError: report,
      }),
    sweep: async (...what) => {
      await clearLeft(store);
      return sweep(...what);
    },
    uses: () => copyUses(shelf),
    dateBack: async () => {},
    figures: eviction.figures,
    limited: eviction.limited,
    eviction,
    close: async () => {
      const over = async () => {
        await mutex.over();
        await eviction.over();
      };
      await Promise.race([over(), setTimeout(CLOSING, undefined, { ref: false })]);
      bucket.close();
      await over();
    },
  };
};

const stateOf = (options: ObjectStoreOptions): ObjectState => {
  const { bucket, uploads, onError, onChange, onMended, backlogLimit = BACKLOG, now = Date.now } = options;
  const report = (cause: unknown) => onError(cause instanceof Error ? cause : new Error(messageOf(cause), { cause }));
  const limit = options.limit ?? (() => 0);
  const mutex = makeKeyedMutex(report);
  const log = openUploadLog(uploads.folder, nameInLogs(uploads.family));
  const breaker = makeBreaker({
    onChange: (problem) => {
      onChange(problem);
      if (problem === undefined) void clearLeft({ bucket, log, uploads, report });
    },
    ...{ now, random: Math.random },
  });
  const whole = bucketShelf(bucket, now);
  const shelf: Shelf = {
    ...whole,
    // While the store does not answer, a use is not worth a wait.
    use: async (copy, at) => {
      if (breaker.closed) await breaker.run(whole.use(copy, at));
    },
  };
  return {
    bucket,
    known: makeKnown(bucket, now),
    breaker,
    intake: makeIntake(bucket),
    backlog: makeBacklog(backlogLimit),
    lines: createSemaphore(LINES),
    ...{ log, uploads, mutex },
    shelf,
    eviction: options.eviction ?? makeEviction({ shelf, limit, exclusively: mutex.run, onError: report, now }),
    limit,
    tooLarge: new Set(),
    abandoned: new Subject(),
    report,
    mended: onMended,
    now,
  };
};

/**
 * Aborts what could not be while the store did not answer, and what workers have left that were killed.
 * Never rejects: the next look tries again.
 */
const clearLeft = async ({
  bucket,
  log,
  uploads,
  report,
}: Pick<ObjectState, 'bucket' | 'log' | 'uploads' | 'report'>) => {
  try {
    await log.clear(bucket.abort);
    await clearUploads(await logsOfEnded(uploads.folder, uploads.family), bucket.abort);
  } catch (error) {
    report(error);
  }
};

/** Removes a copy whose content is wrong, and reports it. */
const removeWrong = (
  { bucket, known, mutex, shelf, report }: ObjectState,
  copy: StoredCopy,
  { fault }: { readonly fault: string },
) =>
  mutex.run(copy.key, async () => {
    known.forget(copy.key);
    if (await shelf.remove(copy)) report(new Error(`${bucket.url}${copy.file}: ${fault}; it was removed`));
  });

const keyAt = ({ url }: Bucket, at: string): string => parseName(at.slice(url.length))?.key ?? '';

/** Whether nothing is left to save, after the work under way for the entry. */
const isDone = async (store: ObjectState, entry: CatalogEntry): Promise<boolean> => {
  const { mutex, tooLarge, known, breaker, report, bucket, limit } = store;
  const key = keyOf(entry);
  await mutex.over(key);
  if (tooLarge.delete(key)) {
    report(new Error(`${entry.path} is not kept: it exceeds the limit of all copies (save_limit = ${limit()} bytes)`));
    return true;
  }
  if (known.get(key)) return true;
  const copy = await breaker.run(known.look(entry));
  if (!copy) return false;
  if (await breaker.run(bucket.look(copy.name))) return true;
  // Only its description is left.
  known.forget(key);
  return false;
};

/** The copy of an entry as a candidate. While the store does not answer, it has none. */
const offer = async (store: ObjectState, entry: CatalogEntry): Promise<Candidate | undefined> => {
  const { bucket, known, breaker, eviction } = store;
  const key = keyOf(entry);
  const found = known.get(key);
  if (!found && (known.isAbsent(key) || !breaker.closed)) return undefined;
  const source = { kind: 'saved', id: '' };
  try {
    const copy = found ?? (await breaker.run(known.look(entry)));
    if (!copy) return undefined;
    eviction.used({ key, path: copy.name });
    return { entry, source, url: bucket.url + copy.name, headers: copy.headers };
  } catch (error) {
    return { entry, source, url: bucket.url + descriptionName(key), problem: toStreamError(error) };
  }
};
