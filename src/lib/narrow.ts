import { chmodSync, lstatSync, readdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from './thrown.ts';

/**
 * A file or folder whose owner or mode gives other users access, or denies it to this process.
 * Modes as chmod takes them.
 */
export interface Finding {
  readonly path: string;
  readonly mode: string;
  /** The mode that it has now. */
  readonly narrowed?: string;
  /** Why its mode was left alone. */
  readonly kept?: string;
}

/** Bits for the group and for everybody. */
const OTHERS = 0o077;
const WRITABLE = 0o022;
const STICKY = 0o1000;

/**
 * Takes the permissions of other users from a file. Its mode is left alone, and the reason
 * returned, if the file belongs to another user or if changing it might change another file.
 * Returns `undefined` if there was nothing to do. Never throws.
 */
export const narrowFile = (path: string): Finding | undefined =>
  narrow(path, 0, (stats) => {
    if (!stats.isFile()) return 'it is not a regular file';
    return stats.nlink > 1 ? 'it has several names (hard links)' : undefined;
  });

/**
 * The same for a folder. It is left alone as well if it holds a name that is not the streamer's:
 * others may depend on that. The permissions in `allowed` stay, such as a group's.
 */
export const narrowFolder = (path: string, isOwn: (name: string) => boolean, allowed = 0): Finding | undefined =>
  narrow(path, allowed, (stats) => {
    if (!stats.isDirectory()) return 'it is not a folder';
    if ((stats.mode & STICKY) !== 0) return 'it is shared (sticky bit)';
    const foreign = readdirSync(path).find((name) => !isOwn(name));
    return foreign === undefined ? undefined : `it holds other files as well (${foreign})`;
  });

const narrow = (path: string, allowed: number, refusal: (stats: Stats) => string | undefined): Finding | undefined => {
  const others = OTHERS & ~allowed;
  const user = process.geteuid?.();
  if (user === undefined) return undefined;
  let mode = 'unknown';
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) return undefined;
    mode = octal(stats.mode);
    const wide = (stats.mode & others) !== 0;
    // Only that user and root can use a narrow file of another user.
    if (stats.uid !== user && (wide || user !== 0)) return { path, mode, kept: `it belongs to user ${stats.uid}` };
    if (!wide) return undefined;
    const kept = replaceable(path, user) ?? refusal(stats);
    if (kept !== undefined) return { path, mode, kept };
    // By its name: closing a descriptor of a database would release the locks that this process
    // holds on it.
    chmodSync(path, stats.mode & ~others);
    return { path, mode, narrowed: octal(stats.mode & ~others) };
  } catch (error) {
    return { path, mode, kept: messageOf(error) };
  }
};

/** Why the name might lead to another file, now or in a moment. */
const replaceable = (path: string, user: number): string | undefined => {
  if (lstatSync(path).isSymbolicLink()) return 'it is a symbolic link';
  const { uid, mode } = statSync(dirname(path));
  const shared = (mode & WRITABLE) !== 0 && (mode & STICKY) === 0;
  return shared || (uid !== 0 && uid !== user) ? 'other users may replace it' : undefined;
};

const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');
