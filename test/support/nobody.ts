import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { it } from '@jest/globals';
import type { Start } from './processes.ts';

/** A user that is not root: Debian's `nobody`. */
export const NOBODY = { uid: 65_534, gid: 65_534 } as const;

const canBeNobody = (): boolean =>
  process.geteuid?.() === 0 &&
  spawnSync(process.execPath, ['--version'], { ...NOBODY, cwd: import.meta.dirname }).status === 0;

/**
 * `it` if the tests run as root and `nobody` may read the project; otherwise a skipped test with
 * the reason in its name.
 */
export const itAsRoot: (name: string, test: () => Promise<void> | void) => void = canBeNobody()
  ? (name, test) => it(name, test)
  : (name, test) => it.skip(`${name} (skipped: needs root, and a project that the user nobody may read)`, test);

/** Starts processes as `nobody`. */
export const asNobody =
  (start: Start): Start =>
  (command, args, options) =>
    start(command, args, { ...options, ...NOBODY });

/** Creates a folder that belongs to `nobody`, below one that `nobody` may traverse. */
export const makeNobodysFolder = (above: string, path: string): string => {
  chmodSync(above, 0o755);
  mkdirSync(path, { mode: 0o700 });
  chownSync(path, NOBODY.uid, NOBODY.gid);
  return path;
};
