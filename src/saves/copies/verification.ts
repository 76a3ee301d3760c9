import { createHash, randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { defer, endWith, ignoreElements, map, mergeMap, type Observable, tap } from 'rxjs';
import { type BlockSums, etagOf, type Header } from '../../../pipelines/model/index.ts';
import { sameSums, sumBlocks } from '../../lib/block-sums.ts';
import { contentType } from '../../lib/content-type.ts';
import { signatureOf } from '../../lib/file-signature.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import type { Copy } from './copy.ts';
import type { PartialFolder } from './partial-folder.ts';
import { type Pace, readWhole } from './read-whole.ts';
import { readSidecar, replaceSidecar, sidecarText } from './sidecar.ts';

/** What is known of a copy whose content matches its checksum. */
export interface Right {
  /** The header fields of its first transfer; absent for a copy of an earlier version. */
  readonly headers?: readonly Header[];
  readonly blocks: BlockSums;
  /** Its sidecar has these sums, for the file as it is. */
  readonly hasSums: boolean;
}

export type Verdict = Right | { readonly fault: string };

/**
 * Reads a copy and compares it with its checksum. Emits the verdict and completes. Errors with the
 * system's error. Unsubscribing stops reading.
 */
export const verifyCopy = (copy: Copy, pace?: Pace): Observable<Verdict> =>
  defer(() => {
    const { path, checksum } = copy;
    const hash = createHash(checksum.algorithm);
    const summer = sumBlocks();
    return readWhole(path, pace).pipe(
      tap((bytes) => {
        hash.update(bytes);
        summer.update(bytes);
      }),
      ignoreElements(),
      endWith(undefined),
      map(() => hash.digest('hex')),
      mergeMap(async (found): Promise<Verdict> => {
        const { algorithm, value } = checksum;
        if (found !== value) return { fault: `its ${algorithm} is ${found}, expected ${value}` };
        return describedAs(copy, summer.sums());
      }),
    );
  });

const describedAs = async (copy: Copy, blocks: BlockSums): Promise<Verdict> => {
  const described = await readSidecar(copy);
  // The content coding is lost, and no checksum proves that the bytes are the file itself.
  if (described === 'damaged' && copy.bare) return { fault: 'its sidecar is damaged' };
  if (!described || described === 'damaged') return { blocks, hasSums: false };
  const { headers, blocks: written, modified } = described;
  const hasSums = written !== undefined && sameSums(written, blocks) && modified === copy.stats.mtimeNs;
  return { headers, blocks, hasSums };
};

/**
 * Writes the sums of a right copy into its sidecar, unless it has them or was replaced since.
 * `partial` is a folder on the same file system.
 */
export const writeSums = async (
  copy: Copy,
  { headers, blocks, hasSums }: Right,
  partial: PartialFolder,
): Promise<void> => {
  const { path, stats, checksum } = copy;
  if (hasSums || !(await isUnchanged(copy))) return;
  const text = sidecarText(checksum, {
    ...{ headers: headers ?? fieldsWithoutTransfer(copy), blocks },
    modified: stats.mtimeNs,
  });
  await replaceSidecar(path, join(partial.path(), randomUUID()), text);
};

/** Whether the file is the same as when it was found: a new copy may have replaced it in between. */
export const isUnchanged = async ({ path, stats }: Pick<Copy, 'path' | 'stats'>): Promise<boolean> => {
  const now = await unlessMissing(stat(path, { bigint: true }));
  return now !== undefined && signatureOf(now) === signatureOf(stats);
};

/**
 * The header fields of a copy whose transfer is unknown: those that follow from its name and its
 * verified content. The file's time is that of saving, which is not when the content was modified.
 */
export const fieldsWithoutTransfer = ({ path, checksum }: Pick<Copy, 'path' | 'checksum'>): readonly Header[] => [
  ['Content-Type', contentType(path)],
  ['ETag', etagOf(checksum)],
];
