import { chmod, rename, stat, unlink, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BlockSums, CatalogEntry, CopyEnd, Header } from '../../../pipelines/model/index.ts';
import { makeFolder } from '../../lib/private-files.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import { syncPath, writeNew } from './files.ts';
import { findCopy, placeOf } from './names.ts';
import { removeCopy, sidecarOf, sidecarText } from './sidecar.ts';
import type { StoreState } from './state.ts';

/** A file that was verified and synced, under a temporary name. */
export interface FinishedFile {
  readonly entry: CatalogEntry;
  readonly key: string;
  readonly file: string;
  /** The header fields of its transfer that describe the content. */
  readonly headers: readonly Header[];
  /** The digest of the content, if the catalog has no checksum. */
  readonly sha256?: string;
  /** The sums of its blocks. */
  readonly blocks: BlockSums;
}

/**
 * Gives a finished file its final name. If there is a copy already, it stays, unless it is not
 * known to be right. Resolves to which of the two it was. Rejects with the system's error.
 */
export const place = async (store: StoreState, finished: FinishedFile): Promise<CopyEnd['how']> => {
  const { folder, checks, eviction } = store;
  const { entry, key, file, headers, sha256 = '', blocks } = finished;
  const path = placeOf(folder, entry, key, sha256);
  // One of the same name that is not known is replaced, whatever it is.
  const there = entry.checksum && !checks.remembers(path) ? undefined : await findCopy(folder, entry, key);
  if (there && checks.known(there)) {
    await unlink(file);
    return 'there';
  }
  const modified = await describe(store, finished);
  const isNew = await moveInto(store, finished, path);
  await syncFolders(store, dirname(path), isNew);
  const stats = await stat(path, { bigint: true });
  // Unless somebody changed the file since it was complete.
  if (stats.mtimeNs === modified) checks.trust(path, stats, { headers, blocks });
  eviction.taken(Number(stats.size));
  if (there && there.path !== path) await removeCopy(there.path);
  return 'kept';
};

/** Moves a finished file to its place. Resolves to whether its folder had to be made. */
const moveInto = async (store: StoreState, finished: FinishedFile, path: string): Promise<boolean> => {
  const move = () => moveWithSidecar(store, finished, path);
  // Most folders exist, so none is made before the move fails.
  if (!store.shared && (await unlessMissing(move().then(() => true)))) return false;
  const made = await makeFolder(dirname(path));
  if (store.shared) await shareWithGroup(store.folder, finished.file, path);
  await move();
  return made !== undefined;
};

/**
 * Lets the group of the folder read a file that is about to move to a path in it. Subfolders and
 * files belong to that group if the folder has the bit for it (setgid).
 */
const shareWithGroup = async (folder: string, file: string, path: string): Promise<void> => {
  for (let at = dirname(path); ; at = dirname(at)) {
    const { mode } = await stat(at);
    if ((mode & GROUP_ENTERS) !== GROUP_ENTERS) await chmod(at, mode | GROUP_ENTERS);
    if (at === folder) break;
  }
  await chmod(file, 0o640);
};
const GROUP_ENTERS = 0o050;

/** Writes the sidecar. Its time is that of the copy's last use. Resolves to the time of the file. */
const describe = async ({ semaphore, now }: StoreState, finished: FinishedFile): Promise<bigint> => {
  const { entry, file, headers, sha256 = '', blocks } = finished;
  const { mtimeNs: modified } = await stat(file, { bigint: true });
  const text = sidecarText(entry.checksum ?? { algorithm: 'sha256', value: sha256 }, { headers, blocks, modified });
  // Without a checksum, the sidecar alone describes the bytes: it must survive a power cut with
  // them. Otherwise a lost sidecar costs only header fields, which do not justify a wait.
  await semaphore(() => writeNew(sidecarOf(file), text, !entry.checksum));
  // A new file has the time of the system's clock already.
  if (now !== Date.now) await utimes(sidecarOf(file), now() / 1000, now() / 1000);
  return modified;
};

/** The sidecar moves first, so that no copy is ever without it. Alone it counts for nothing. */
const moveWithSidecar = async ({ semaphore }: StoreState, { entry, file }: FinishedFile, path: string) => {
  await rename(sidecarOf(file), sidecarOf(path));
  if (!entry.checksum) await semaphore(() => syncPath(dirname(path)));
  await rename(file, path);
};

/** Syncs a folder; if it is new, also those above it, so that they outlive a power cut. */
const syncFolders = async ({ folder, semaphore }: StoreState, changed: string, isNew: boolean): Promise<void> => {
  for (let at = changed; ; at = dirname(at)) {
    const next = at;
    await semaphore(() => syncPath(next));
    if (!isNew || next === folder) return;
  }
};
