import { closeSync, existsSync, fchownSync, lchownSync, mkdirSync, openSync, statSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

// Only the streamer's user has access to its files: catalogs hold passwords and private keys. Each
// file and folder gets its mode when it is made, because an embedder's umask must not be changed.
// SQLite gives its logs the mode and the owner of their database.
const FOLDER = 0o700;
const FILE = 0o600;

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Makes a folder, and those above it that are missing, for its owner alone. Returns the topmost
 * that was made, `undefined` if all were there. Below a folder of another user, what root makes
 * belongs to that user: otherwise a daemon of that user could not use it.
 */
export const makeFolderSync = (folder: string): string | undefined => {
  const topmost = mkdirSync(folder, { recursive: true, mode: FOLDER });
  inheritFolders(topmost, folder);
  return topmost;
};

/** The same, without blocking. */
export const makeFolder = async (folder: string): Promise<string | undefined> => {
  const topmost = await mkdir(folder, { recursive: true, mode: FOLDER });
  inheritFolders(topmost, folder);
  return topmost;
};

/**
 * Makes an empty file, for its owner alone, unless it is there. Its folder must exist, and decides
 * the owner as for a folder.
 */
export const makeFileSync = (file: string): void => {
  if (existsSync(file)) return;
  // A symbolic link that leads nowhere makes its target, unless another user may have put it in
  // root's way.
  const fd = openSync(file, heirIn(dirname(file)) ? 'wx' : 'a', FILE);
  try {
    inheritFile(fd, file);
  } finally {
    closeSync(fd);
  }
};

/**
 * Replaces a file by one with this text, for its owner alone. A reader finds either the former or
 * the new one, whole.
 */
export const replaceFile = async (file: string, text: string): Promise<void> => {
  const next = `${file}.new`;
  await rm(next, { force: true });
  const handle = await open(next, 'wx', FILE);
  try {
    inheritFile(handle.fd, next);
    await handle.writeFile(text);
  } finally {
    await handle.close();
  }
  await rename(next, file);
};

/**
 * Gives a file that was just made to the owner of its folder, if this process is root's and the
 * folder another user's.
 */
export const inheritFile = (fd: number, file: string): void =>
  give(heirIn(dirname(file)), ({ uid, gid }) => fchownSync(fd, uid, gid));

/** The same for a socket that was just made. */
export const inheritSocket = (path: string): void =>
  give(heirIn(dirname(path)), ({ uid, gid }) => lchownSync(path, uid, gid));

const inheritFolders = (topmost: string | undefined, folder: string): void => {
  if (topmost === undefined) return;
  const first = resolve(topmost);
  const heir = heirIn(dirname(first));
  for (let at = resolve(folder); at.length >= first.length; at = dirname(at))
    give(heir, ({ uid, gid }) => lchownSync(at, uid, gid));
};

/**
 * The user and group that root has to give things in a folder to; `undefined` if there is nothing
 * to give away.
 */
const heirIn = (folder: string): Owner | undefined => {
  if (process.geteuid?.() !== 0) return undefined;
  const { uid, gid } = statSync(folder);
  return uid === 0 ? undefined : { uid, gid };
};

/**
 * If not even root may give files away (a container without CAP_CHOWN, a network disk) they stay
 * with root, which can use them.
 */
const give = (heir: Owner | undefined, change: (heir: Owner) => void): void => {
  if (!heir) return;
  try {
    change(heir);
  } catch (error) {
    if (!['EPERM', 'EINVAL'].includes(String((error as NodeJS.ErrnoException).code))) throw error;
  }
};
