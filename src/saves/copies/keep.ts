import { createHash, randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Subject } from 'rxjs';
import type { CatalogEntry, Chunk, Keep } from '../../../pipelines/model/index.ts';
import type { Basin } from '../../../pipelines/operators/basin.ts';
import { sumBlocks } from '../../lib/block-sums.ts';
import { readBlocks } from '../../lib/stored-blocks.ts';
import { messageOf } from '../../lib/thrown.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import { keyOf } from './names.ts';
import { startPartialCopy } from './partial-copy.ts';
import { type FinishedFile, place } from './place.ts';
import { newProgress, settle } from './progress.ts';
import { contentFields, sidecarOf } from './sidecar.ts';
import { isTooLarge, type StoreState } from './state.ts';

/**
 * Copies content during its transfer. A copy is abandoned if the disk refuses it, or takes nothing
 * for so long that the backlog is full. It is also abandoned if the content proves larger than the limit of all
 * copies.
 */
export const keepIn =
  (store: StoreState): Keep =>
  (entry, length = entry.size ?? 0, headers) => {
    const { backlog, room, semaphore, mutex, abandoned, report, now } = store;
    const key = keyOf(entry);
    if (isTooLarge(store, key, length)) return undefined;
    const progress = newProgress();
    const moved = new Subject<never>();
    const file = newFile(store, entry);
    if (file === undefined) return undefined;
    const hash = entry.checksum ? undefined : createHash('sha256');
    const summer = sumBlocks();
    const copy = startPartialCopy({
      file,
      backlog,
      semaphore,
      sumOf: summer.sumOf,
      progress,
      onError: (cause) => {
        settle(progress, now(), 'given-up', messageOf(cause));
        room.failed(cause);
        report(new Error(`the copy of ${entry.path} was abandoned: ${messageOf(cause)}`, { cause }));
        abandoned.next(key);
      },
    });

    const finish = async (finished: Promise<boolean>) => {
      if (!(await finished)) return;
      const whole: FinishedFile = {
        ...{ entry, key, file, headers: contentFields(headers) },
        ...{ sha256: hash?.digest('hex'), blocks: summer.sums() },
      };
      const how = await place(store, whole).catch(async (error: unknown) => {
        settle(progress, now(), 'given-up', messageOf(error));
        room.failed(error);
        await Promise.all([file, sidecarOf(file)].map((path) => unlessMissing(unlink(path))));
        throw error;
      });
      settle(progress, now(), how);
    };

    const basin: Basin<Chunk> = {
      from: 0,
      get to() {
        return copy.lost ? copy.stored.readable() : progress.taken;
      },
      get taking() {
        return copy.taking;
      },
      ready: backlog.valve,
      read: (at) => readBlocks(copy.stored, at),
      retain: copy.stored.retain,
      release: copy.stored.release,
      moved,
    };

    return {
      ...{ basin, progress },
      write: (bytes, loan) => {
        hash?.update(bytes);
        summer.update(bytes);
        progress.taken += bytes.length;
        if (!isTooLarge(store, key, progress.taken)) return copy.write(bytes, loan);
        settle(progress, now(), 'too-large');
        copy.abort();
        abandoned.next(key);
      },
      commit: () => {
        progress.whole = now();
        const finished = copy.finish();
        mutex.run(key, () => finish(finished).finally(() => moved.complete()));
      },
      abort: () => {
        settle(progress, now(), 'dropped');
        const gone = copy.abort();
        mutex.run(key, async () => {
          await gone;
        });
      },
    };
  };

/** The path of a file in the making; `undefined` if the disk refuses to make its folder again. */
const newFile = ({ partial, report }: StoreState, { path }: CatalogEntry): string | undefined => {
  try {
    return join(partial.path(), randomUUID());
  } catch (cause) {
    report(new Error(`no copy of ${path} can be made: ${messageOf(cause)}`, { cause }));
    return undefined;
  }
};
