import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Settings } from '../../config/schema.ts';
import { type Trial, trying } from './trial.ts';

/** Checks that this user may write to, or read, the folders in the settings. Creates nothing. */
export const tryFolders = async (settings: Settings): Promise<readonly Trial[]> => {
  const { stateDir, catalog, saveDir, dispatch, contentSourcesDir, catalogType, storageDir, pluginConfigDir } =
    settings;
  const isMongo = catalogType === 'mongodb';
  const written = [stateDir, dirname(catalog), ...(dispatch === 'save' ? [saveDir] : [])];
  const read = [contentSourcesDir, ...(isMongo ? [storageDir, pluginConfigDir] : [])];
  return Promise.all([
    ...[...new Set(written)].map((folder) => trying(`folder ${folder}, to write`, () => writable(folder), reasonOf)),
    ...read.map((folder) => trying(`folder ${folder}, to read`, () => readable(folder), reasonOf)),
  ]);
};

const { R_OK, W_OK, X_OK } = constants;

const writable = async (folder: string): Promise<string | undefined> => {
  const there = await nearestAbove(folder);
  await access(there, W_OK | X_OK);
  return there === folder ? undefined : 'not there yet, can be made';
};

const readable = async (folder: string): Promise<string | undefined> => {
  const there = await nearestAbove(folder);
  if (there !== folder) return 'not there';
  await access(folder, R_OK | X_OK);
  return undefined;
};

/** The folder itself if it exists, otherwise the nearest one above it that does. */
const nearestAbove = async (folder: string): Promise<string> => {
  try {
    if ((await stat(folder)).isDirectory()) return folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return nearestAbove(dirname(folder));
  }
  throw new Error(`${folder} is not a folder`);
};

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user has no permission',
  EROFS: 'its file system is read-only',
  ENOTDIR: 'a part of its path is not a folder',
};

const reasonOf = (error: unknown): string => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
};
