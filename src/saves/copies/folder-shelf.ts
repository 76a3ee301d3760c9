import { stat, unlink, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { catchError, defer, from, mergeMap, of } from 'rxjs';
import type { Semaphore } from '../../lib/semaphore.ts';
import { codeOf } from '../../lib/thrown.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import { removeIfEmpty } from './files.ts';
import { identified, removeStored, storedCopies, storedCopy } from './inventory.ts';
import { isAlone, keyAt } from './names.ts';
import { openPartial, type PartialFolder } from './partial-folder.ts';
import type { Examined, Shelf } from './shelf.ts';
import { copyOf, sidecarOf } from './sidecar.ts';
import { verifyCopy, writeSums } from './verification.ts';

interface Options {
  readonly folder: string;
  /** Limits disk operations. Default: none. */
  readonly semaphore?: Semaphore;
  /** Runs work while no other work moves the files of a key. Default: at once. */
  readonly exclusively?: (key: string, work: () => Promise<void>) => Promise<void>;
  /** The folder of files in the making. Default: one of its own, on first use. */
  readonly partial?: PartialFolder;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Milliseconds after which a sidecar without a copy is removed. */
const ORPHANED = 3_600_000;
/** As cheap as the change of a file's time is. */
const UNWRITTEN = 3_600_000;

/** The copies in a folder. */
export const folderShelf = ({
  folder,
  semaphore = (work) => work(),
  exclusively = (_, work) => work(),
  now = Date.now,
  ...options
}: Options): Shelf => {
  let own: PartialFolder | undefined;
  const partial = (): PartialFolder => {
    own ??= options.partial ?? openPartial(folder, raise);
    return own;
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

  return {
    copies: ({ start, tidying } = {}) =>
      storedCopies(folder, { start, semaphore, ...(tidying && { orphan: removeOrphan }) }),
    look: (path) => storedCopy(folder, path, semaphore),
    remove: (copy) => removeStored(folder, copy),
    /**
     * The kernel's access times are not usable: it may record no reads (`noatime`), or one per day
     * (`relatime`). Any change of the copy causes a new verification.
     */
    use: async ({ path }, at) => {
      await unlessMissing(utimes(sidecarOf(path), at / 1000, at / 1000));
    },
    unwritten: UNWRITTEN,
    keyAt: (path) => keyAt(folder, path),
    examine: (stored, known, pace) =>
      defer(() => storedCopy(folder, stored.path)).pipe(
        mergeMap((found) => (found ? from(identified(folder, found, known)) : of('gone' as const))),
        mergeMap((copy) => {
          if (copy === 'gone') return of<Examined>('gone');
          if (!copy) return of<Examined>('unknown');
          return verifyCopy(copy, pace).pipe(
            mergeMap(async (verdict): Promise<Examined> => {
              if ('fault' in verdict) return verdict;
              await writeSums(copy, verdict, partial());
              return 'right';
            }),
          );
        }),
        catchError((error: unknown) => {
          if (codeOf(error) === 'ENOENT') return of<Examined>('gone');
          throw error;
        }),
      ),
    close: () => own?.close(),
  };
};

const raise = (error: unknown): never => {
  throw error;
};
