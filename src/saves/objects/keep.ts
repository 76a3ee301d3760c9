import { createHash } from 'node:crypto';
import {
  type CatalogEntry,
  type Checksum,
  type Header,
  type Keep,
  StreamError,
} from '../../../pipelines/model/index.ts';
import { sumBlocks } from '../../lib/block-sums.ts';
import { contentType } from '../../lib/content-type.ts';
import { messageOf } from '../../lib/thrown.ts';
import { keyOf } from '../copies/names.ts';
import { newProgress, settle } from '../copies/progress.ts';
import { contentFields } from '../copies/sidecar.ts';
import type { KnownCopy } from './known.ts';
import { contentName } from './names.ts';
import { publish } from './publish.ts';
import type { ObjectState } from './state.ts';
import { LONGEST, PART, startUpload } from './upload.ts';

/**
 * Copies content to the store during its transfer. A copy is abandoned if the store refuses it, or is
 * so slow that the backlog is full. None is begun while the store does not answer, or the parts of
 * others that are not full yet need the room: those would be abandoned for it.
 */
export const keepIn =
  (store: ObjectState): Keep =>
  (entry, length = entry.size, headers) => {
    const { bucket, backlog, lines, log, mutex, breaker, intake, report, mended, abandoned, now } = store;
    const key = keyOf(entry);
    if (isTooLarge(store, key, length ?? 0) || !breaker.closed || intake.refuses || isCrowded(store, length))
      return undefined;
    const name = contentName(entry, key);
    const digest = entry.checksum ? undefined : createHash('sha256');
    const summer = sumBlocks();
    const progress = newProgress();

    const lost = (cause: unknown) => {
      settle(progress, now(), 'given-up', messageOf(cause));
      if (cause instanceof StreamError) {
        breaker.failed(cause);
        intake.failed();
      }
      report(new Error(`the copy of ${entry.path} was abandoned: ${messageOf(cause)}`, { cause }));
      abandoned.next(key);
    };
    const type = typeOf(entry, headers);
    const upload = startUpload({
      ...{ bucket, name, type, length, backlog, lines, log, progress, mended },
      onError: lost,
    });

    const finish = async (): Promise<void> => {
      const stored = await upload.finish();
      if (!stored) return;
      const checksum: Checksum = entry.checksum ?? { algorithm: 'sha256', value: digest?.digest('hex') ?? '' };
      const copy: Omit<KnownCopy, 'etag' | 'usedAt'> = {
        ...{ key, name, checksum, headers: contentFields(headers), blocks: summer.sums() },
      };
      try {
        settle(progress, now(), await publish(store, entry, copy, stored));
      } catch (error) {
        lost(error);
      }
    };

    let givenUp = false;
    return {
      progress,
      write: (bytes) => {
        if (givenUp) return;
        digest?.update(bytes);
        summer.update(bytes);
        progress.taken += bytes.length;
        if (!isTooLarge(store, key, progress.taken)) return upload.write(bytes);
        givenUp = true;
        settle(progress, now(), 'too-large');
        void upload.abort();
        abandoned.next(key);
      },
      commit: () => {
        progress.whole = now();
        void mutex.run(key, finish);
      },
      abort: () => {
        settle(progress, now(), 'dropped');
        void mutex.run(key, upload.abort);
      },
    };
  };

const typeOf = ({ path }: CatalogEntry, headers: readonly Header[]): string =>
  headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? contentType(path);

/** Whether one more copy would take the room of those under way: each fills a part before it is sent. */
export const isCrowded = ({ backlog }: Pick<ObjectState, 'backlog'>, length = PART): boolean =>
  !backlog.hasRoom(Math.min(length, PART));

/** Whether content of this length can never be kept. Records it for its save request. */
const isTooLarge = ({ limit, tooLarge }: ObjectState, key: string, bytes: number): boolean => {
  if (bytes > Math.min(limit() || Number.POSITIVE_INFINITY, LONGEST)) tooLarge.add(key);
  return tooLarge.has(key);
};
