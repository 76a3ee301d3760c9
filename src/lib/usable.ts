import { accessSync, closeSync, constants, openSync, type Stats, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import { codeOf, messageOf } from './thrown.ts';

/** Why this process cannot use a file or folder. */
export interface Obstacle {
  readonly problem: string;
  /** The command with which root removes it, if one does. */
  readonly remedy?: string;
  /** The file system is read-only. */
  readonly readOnly?: true;
}

const { F_OK, R_OK, W_OK, X_OK } = constants;

/**
 * Why this process cannot write to a folder, or make it if it is missing; `undefined` if it can.
 * Changes nothing. Never throws.
 */
export const folderObstacle = (folder: string): Obstacle | undefined => {
  const wanted = resolve(folder);
  const user = thisUser();
  let above = wanted;
  for (const at of wayTo(wanted)) {
    try {
      const stats = statSync(at, { throwIfNoEntry: false });
      if (!stats) return missing(wanted, above, user);
      if (!stats.isDirectory()) return { problem: `${at} is not a folder` };
      const last = at === wanted;
      const code = denied(at, last ? R_OK | W_OK | X_OK : X_OK);
      if (code !== undefined) return last ? unwritable(at, stats, user, code) : impassable(at, stats, user);
    } catch (error) {
      return { problem: messageOf(error) };
    }
    above = at;
  }
  return undefined;
};

/** The same for a file. If it is missing, or hidden by its folder, the folder decides. */
export const fileObstacle = (file: string): Obstacle | undefined => {
  if (denied(file, F_OK) !== undefined) return undefined;
  const stats = statSync(file);
  if (stats.isDirectory()) return { problem: `${file} is a folder; expected a file` };
  const code = denied(file, R_OK | W_OK);
  return code === undefined ? undefined : unwritable(file, stats, thisUser(), code);
};

/**
 * The same for a file that exists, by opening it: other checks ask for the user who started this
 * process, and not for the one that it acts as.
 */
export const openObstacle = (file: string): Obstacle | undefined => {
  try {
    closeSync(openSync(file, constants.O_RDWR));
    return undefined;
  } catch (error) {
    const stats = statSync(file, { throwIfNoEntry: false });
    return stats && unwritable(file, stats, thisUser(), codeOf(error));
  }
};

/** On one line. */
export const describeObstacle = ({ problem, remedy }: Obstacle): string =>
  remedy === undefined ? problem : `${problem}. As root: ${remedy}`;

const missing = (folder: string, above: string, user: string): Obstacle | undefined => {
  const code = denied(above, W_OK | X_OK);
  if (code === undefined) return undefined;
  if (code === 'EROFS') return readOnly(above);
  return {
    problem: `${folder} does not exist, and user ${user} may not make it in ${above}`,
    remedy: `install -d -o ${user} -m 700 ${quoted(folder)}`,
  };
};

const unwritable = (path: string, stats: Stats, user: string, code: string): Obstacle => {
  if (code === 'EROFS') return readOnly(path);
  const own = stats.uid === process.geteuid?.();
  const all = stats.isDirectory() ? '-R ' : '';
  return {
    problem: `${path} belongs to user ${nameOf(stats.uid)} (mode ${modeOf(stats)}), and user ${user} may not write to it`,
    remedy: own
      ? `chmod u+rw${stats.isDirectory() ? 'x' : ''} ${quoted(path)}`
      : `chown ${all}${user} ${quoted(path)}, if nothing else uses it`,
  };
};

const impassable = (folder: string, stats: Stats, user: string): Obstacle => ({
  problem: `user ${user} may not pass ${folder} (mode ${modeOf(stats)}, of user ${nameOf(stats.uid)})`,
  remedy: `chmod o+x ${quoted(folder)}, or choose another folder`,
});

const readOnly = (path: string): Obstacle => ({
  problem: `the file system of ${path} is read-only`,
  readOnly: true,
});

/** The folders that a path leads through, from the root on, and the path itself. */
const wayTo = (path: string): readonly string[] => {
  const above = dirname(path);
  return above === path ? [path] : [...wayTo(above), path];
};

/** The code of the error that an access meets; `undefined` if it meets none. */
const denied = (path: string, mode: number): string | undefined => {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
};

/** A user without a name, as in containers, is known by its number. */
const thisUser = (): string => {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.());
  }
};

const nameOf = (uid: number): string => (uid === 0 ? 'root' : String(uid));
const modeOf = (stats: Stats): string => (stats.mode & 0o7777).toString(8).padStart(4, '0');
const quoted = (path: string): string => (/^[\w./+-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
