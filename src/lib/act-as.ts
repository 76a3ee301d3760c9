import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeObstacle, openObstacle } from './usable.ts';

/**
 * Runs work that opens files in a folder. During the work a process of root acts as the owner of the
 * folder, if that is another user: what it makes then belongs to that user, whose daemon can use it
 * later, and a link that this user put in the way leads root no further than the user could go.
 * Other files, which only root may read, are not concerned.
 *
 * `work` must be synchronous, since the whole process acts as the owner. It runs as root if the
 * system denies that (a container without CAP_SETUID).
 */
export const asOwnerOf = <T>(folder: string, work: () => T): T => {
  const { uid, gid } = process.geteuid?.() === 0 ? statSync(folder) : NOBODY_ELSE;
  if (uid === 0) return work();
  const before = { groups: process.getgroups?.() ?? [], gid: process.getegid?.() ?? 0 };
  try {
    takeGroups(uid, gid);
    process.setegid?.(gid);
    process.seteuid?.(uid);
  } catch (error) {
    restore(before);
    if ((error as NodeJS.ErrnoException).code === 'EPERM') return work();
    throw error;
  }
  try {
    return work();
  } finally {
    restore(before);
  }
};

const NOBODY_ELSE = { uid: 0, gid: 0 } as const;

const restore = ({ groups, gid }: { readonly groups: number[]; readonly gid: number }): void => {
  process.seteuid?.(0);
  process.setegid?.(gid);
  try {
    process.setgroups?.(groups);
  } catch (error) {
    // They could not be changed before either.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
};

/**
 * The same for a file that `open` opens: if the owner of its folder may not, throws what denies it,
 * and how root changes that. So root does not use what their daemon cannot.
 */
export const openAsOwner = <T>(file: string, open: () => T): T =>
  asOwnerOf(dirname(file), () => {
    try {
      return open();
    } catch (error) {
      const obstacle = process.geteuid?.() === process.getuid?.() ? undefined : openObstacle(file);
      throw obstacle ? new Error(describeObstacle(obstacle), { cause: error }) : error;
    }
  });

/** All groups of a user; of one without a name, as in containers, only that of the folder. */
const takeGroups = (uid: number, gid: number): void => {
  try {
    // Missing in the types.
    Reflect.get(process, 'initgroups').call(process, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_CREDENTIAL') throw error;
    process.setgroups?.([gid]);
  }
};
