import { createHash } from 'node:crypto';
import { defer, EMPTY, lastValueFrom, type Observable } from 'rxjs';
import { type Checksum, StreamError } from '../../../pipelines/model/index.ts';
import { sameSums, sumBlocks } from '../../lib/block-sums.ts';
import type { Pace } from '../copies/read-whole.ts';
import type { Bucket } from './bucket.ts';
import { storeError } from './errors.ts';
import { describedCopy, type KnownCopy, LONGEST_DESCRIPTION } from './known.ts';
import { descriptionName } from './names.ts';
import { describe } from './publish.ts';

/** `gone`: it was removed in between. `unknown`: no checksum of it is known. */
export type ObjectVerdict = KnownCopy | { readonly fault: string } | 'gone' | 'unknown';

/**
 * Reads a copy from the store and compares it with its checksum: `wanted`, or that of its description.
 * Writes a new description of a right one if its own does not fit. Emits the verdict and completes.
 * Errors with a StreamError. Unsubscribing stops reading.
 */
export const verifyObject = (
  bucket: Bucket,
  { key, name }: Pick<KnownCopy, 'key' | 'name'>,
  wanted?: Checksum,
  pace: Pace = () => EMPTY,
): Observable<ObjectVerdict> =>
  defer(async (): Promise<ObjectVerdict> => {
    const [object, described] = await Promise.all([
      bucket.look(name),
      bucket.read(descriptionName(key), LONGEST_DESCRIPTION),
    ]);
    if (!object) return 'gone';
    const copy = described && describedCopy(described.bytes.toString(), described.modified, key);
    const isItsOwn = copy?.name === name;
    const checksum = wanted ?? (isItsOwn ? copy.checksum : undefined);
    if (!checksum) return 'unknown';
    const digest = createHash(checksum.algorithm);
    const summer = sumBlocks();
    const body = await bucket.open(name, object.etag, undefined, AbortSignal.timeout(LONG));
    try {
      for await (const bytes of body) {
        digest.update(bytes);
        summer.update(bytes);
        await lastValueFrom(pace(bytes.length), { defaultValue: undefined });
      }
    } catch (error) {
      throw storeError(error, bucket.url + name);
    }
    const [blocks, found] = [summer.sums(), digest.digest('hex')];
    if (blocks.length !== object.size)
      throw new StreamError(
        'CONNECTION_LOST',
        'feed',
        `${bucket.url}${name}: the store ended at byte ${blocks.length}`,
      );
    if (found !== checksum.value) return { fault: `its ${checksum.algorithm} is ${found}, expected ${checksum.value}` };
    const right = { key, name, checksum, headers: copy?.headers ?? [], blocks, etag: object.etag };
    if (!isItsOwn || copy.etag !== object.etag || !sameSums(copy.blocks, blocks)) await describe({ bucket }, right);
    return { ...right, usedAt: described?.modified ?? object.modified };
  });

/** Milliseconds for reading the longest copy at the slowest pace. */
const LONG = 24 * 3_600_000;

/** Removes a copy: its description first, so that none is offered without its content. */
export const removeCopy = async (bucket: Bucket, { key, name }: Pick<KnownCopy, 'key' | 'name'>): Promise<void> => {
  await bucket.remove(descriptionName(key));
  await bucket.remove(name);
};
