import { type FileHandle, open, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { inheritFile, makeFolder } from '../lib/private-files.ts';

/** Bytes of the largest file that is kept. */
export const LARGEST = 1024 ** 3;

/** Sets the time of a file, in milliseconds since 1970. */
export const setTime = (path: string, time: number): Promise<void> => utimes(path, time / 1000, time / 1000);

interface Part extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves to whether the file has the name. */
  keepAs(name: string): Promise<boolean>;
}

/**
 * A file in the making, of at most so many bytes. Metadata is read also where it cannot be kept: the
 * feed still has it.
 */
export const partIn = async (folder: string, most = LARGEST): Promise<Part> => {
  const path = join(folder, `${crypto.randomUUID()}.part`);
  let size = 0;
  let file: FileHandle | undefined = await makeFolder(folder).then(
    async () => {
      const made = await open(path, 'wx', 0o600);
      inheritFile(made.fd, path);
      return made;
    },
    () => undefined,
  );
  const giveUp = async () => {
    const opened = file;
    file = undefined;
    await opened?.close();
    if (opened) await rm(path, { force: true });
  };
  return {
    write: async (bytes) => {
      size += bytes.byteLength;
      if (size > most) await giveUp();
      await file?.writeFile(bytes).catch(giveUp);
    },
    keepAs: async (name) => {
      // Nothing was read if the file is still in the state that is known.
      if (!file || size === 0) return false;
      // Synced before it gets its name, so that no failure of the machine leaves an empty one.
      await file
        .sync()
        .then(() => rename(path, join(folder, name)))
        .catch(giveUp);
      return file !== undefined;
    },
    [Symbol.asyncDispose]: giveUp,
  };
};
