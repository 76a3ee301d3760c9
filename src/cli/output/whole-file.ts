import * as fs from 'node:fs';
import { ended, type Target } from './target.ts';

const PERMISSIONS = 0o777;

/**
 * Writes a regular file as `FILE.partial` in the same folder, and renames it when it is complete.
 * `before` is the existing file of that name, if any. The new file gets its mode and, if permitted,
 * its owner.
 */
export const wholeFile = (path: string, before?: fs.Stats): Target => {
  const partial = `${path}.partial`;
  let stream: fs.WriteStream | undefined;
  let inode: number | undefined;
  const isOurs = () => inode !== undefined && fs.lstatSync(partial, { throwIfNoEntry: false })?.ino === inode;
  return {
    start: () => {
      // Left by a process that was killed.
      if (isRegular(partial)) fs.unlinkSync(partial);
      // Never wider than the mode of the file that it replaces, not even for a moment.
      const fd = fs.openSync(partial, 'wx', before && before.mode & PERMISSIONS);
      inode = fs.fstatSync(fd).ino;
      stream = fs.createWriteStream('', { fd });
      if (before) resemble(fd, before);
      return stream;
    },
    finish: async () => {
      if (stream) await ended(stream);
      if (!isOurs()) throw new Error(`another process has replaced ${partial}`);
      if (isRegular(path) === false) throw new Error('it is no longer a regular file, and is left unchanged');
      fs.renameSync(partial, path);
      inode = undefined;
    },
    discard: () => {
      stream?.destroy();
      if (isOurs()) fs.unlinkSync(partial);
      inode = undefined;
    },
  };
};

/** `undefined` if the file does not exist. */
const isRegular = (path: string): boolean | undefined => fs.lstatSync(path, { throwIfNoEntry: false })?.isFile();

const resemble = (fd: number, { uid, gid, mode }: fs.Stats): void => {
  try {
    fs.fchownSync(fd, uid, gid);
  } catch (error) {
    // Only root may change a file's owner.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
  fs.fchmodSync(fd, mode & PERMISSIONS);
};
