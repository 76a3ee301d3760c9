import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type FileLock, lockFile } from '../../lib/lock-file.ts';
import { makeFolderSync } from '../../lib/private-files.ts';

/** The folder of one store's files in the making. */
export interface PartialFolder {
  /** Its path. It is made on first use, and again if it has vanished. */
  path(): string;
  /** Whether no other process has one, except for those of the same family. */
  isAlone(): boolean;
  /** Removes it, until its next use. */
  close(): void;
}

/** Next to the folder of the same name, and locked as long as that is in use. */
const LOCK = '.lock';

/**
 * Removes the files in the making of killed processes. Each process has a folder with a lock, so
 * that none removes those of another: of a command, or of a daemon in another container. `report` is
 * called if the disk refuses: it may permit later to make copies, and copies are read all the same.
 * `family`: the name of the processes that share the folder on purpose.
 */
export const openPartial = (
  folder: string,
  report: (error: unknown) => void,
  family: string = randomUUID(),
): PartialFolder => {
  const partial = join(folder, '.partial');
  try {
    makeFolderSync(partial);
    removeAbandoned(partial);
  } catch (error) {
    report(error);
  }
  let own: { readonly path: string; readonly lock: FileLock } | undefined;

  return {
    path: () => {
      if (own && existsSync(own.path)) return own.path;
      own?.lock.release();
      own = makeOwn(partial, family);
      return own.path;
    },
    isAlone: () => {
      removeAbandoned(partial);
      return readdirSync(partial).every((name) => name.startsWith(`${family}.`));
    },
    close: () => {
      if (own) remove(own.path, own.lock);
      own = undefined;
    },
  };
};

/** The lock comes first: a folder without one has no owner. */
const makeOwn = (partial: string, family: string) => {
  makeFolderSync(partial);
  const path = join(partial, `${family}.${randomUUID()}`);
  const lock = lockFile(path + LOCK);
  // Another process took it for an abandoned one before it was locked.
  if (!lock || !existsSync(path + LOCK)) return makeOwn(partial, family);
  makeFolderSync(path);
  return { path, lock };
};

const removeAbandoned = (partial: string): void => {
  for (const path of new Set(readdirSync(partial).map((name) => join(partial, basename(name, LOCK))))) {
    const lock = lockFile(path + LOCK);
    if (lock) remove(path, lock);
  }
};

const remove = (path: string, lock: FileLock): void => {
  rmSync(path, { recursive: true, force: true });
  rmSync(path + LOCK, { force: true });
  lock.release();
};
