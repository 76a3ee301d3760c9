import { access, constants, stat } from 'node:fs/promises';
import type { Settings } from '../../config/schema.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { describeObstacle, folderObstacle } from '../../lib/usable.ts';
import { stateFolders } from '../state-folder.ts';
import { reasonFrom, type Trial, trying } from './trial.ts';

/** Checks that this user may write to, or read, the folders in the settings. Creates nothing. */
export const tryFolders = async (settings: Settings): Promise<readonly Trial[]> => {
  const { contentSourcesDir, catalogType, storageDir, pluginConfigDir } = settings;
  const read = [contentSourcesDir, ...(catalogType === 'mongodb' ? [storageDir, pluginConfigDir] : [])];
  return Promise.all([
    ...[...stateFolders(settings).keys()].map((folder) =>
      trying(`folder ${folder}, to write`, () => writable(folder), messageOf),
    ),
    ...read.map((folder) => trying(`folder ${folder}, to read`, () => readable(folder), reasonOf)),
  ]);
};

const writable = async (folder: string): Promise<string | undefined> => {
  const obstacle = folderObstacle(folder);
  if (obstacle) throw new Error(describeObstacle(obstacle));
  return (await isThere(folder)) ? undefined : 'not there yet, can be made';
};

const readable = async (folder: string): Promise<string | undefined> => {
  if (!(await isThere(folder))) return 'not there';
  await access(folder, constants.R_OK | constants.X_OK);
  return undefined;
};

const isThere = async (folder: string): Promise<boolean> => {
  try {
    if ((await stat(folder)).isDirectory()) return true;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return false;
  }
  throw new Error(`${folder} is not a folder`);
};

const reasonOf = reasonFrom({
  EACCES: 'this user has no permission',
  EROFS: 'its file system is read-only',
  ENOTDIR: 'a part of its path is not a folder',
});
