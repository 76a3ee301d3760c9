import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Loaded } from '../../config/load.ts';
import { keyOf, SETTINGS, type SettingName, type Settings } from '../../config/schema.ts';
import { codeOf } from '../../lib/thrown.ts';
import { narrowState } from '../state-folder.ts';
import { tryFolders } from '../trials/folders.ts';
import { type Checkup, finding, fine, tried } from './checkup.ts';

/** Whether the daemon may use its files, and no other user may read them. Removes permissions of others. */
export const examineFiles = async ({ settings, origins }: Loaded): Promise<readonly Checkup[]> => [
  ...(await tryFolders(settings)).map((trial) =>
    tried('files', trial, 'give it to the daemon’s user, or name another folder in the settings'),
  ),
  ...examineOwners(settings),
  ...narrowState(settings).map(({ path, mode, narrowed, kept = '' }) =>
    finding(
      'warning',
      'files',
      path,
      narrowed
        ? `other users had access (mode ${mode}); its mode is ${narrowed} now`
        : `its mode stays ${mode}: ${kept}`,
      narrowed
        ? 'nothing; if it held passwords, and others may have read them, change them'
        : `chmod go= ${path}, or move the state to a folder that holds nothing else`,
    ),
  ),
  ...examineSecrets(settings, origins),
];

/** A file of root's in a folder of the daemon's user keeps the daemon out. */
const examineOwners = ({ stateDir }: Settings): readonly Checkup[] => {
  try {
    const { uid } = statSync(stateDir);
    const foreign = readdirSync(stateDir).filter(
      (name) => (statSync(join(stateDir, name), { throwIfNoEntry: false })?.uid ?? uid) !== uid,
    );
    return foreign.length === 0
      ? [fine('files', `owner of ${stateDir}`, `all belongs to user ${uid}`)]
      : [
          finding(
            'problem',
            'files',
            `owner of ${stateDir}`,
            `it belongs to user ${uid}, and ${foreign.join(', ')} to another one`,
            `as root: chown -R ${uid} ${stateDir}`,
          ),
        ];
  } catch (error) {
    // The trial of the folder has the reason.
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(codeOf(error))) return [];
    throw error;
  }
};

const OTHERS = 0o007;

/** Configuration files with passwords that everybody may read. */
const examineSecrets = (settings: Settings, origins: Loaded['origins']): readonly Checkup[] => {
  const names = (Object.keys(SETTINGS) as SettingName[]).filter((name) => 'secret' in SETTINGS[name]);
  const files = new Map<string, string[]>();
  for (const name of names) {
    const [, file] = /^(\/.+):\d+$/.exec(origins[name] ?? '') ?? [];
    if (file === undefined || settings[name] === '') continue;
    if (((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & OTHERS) !== 0)
      files.set(file, [...(files.get(file) ?? []), keyOf(name)]);
  }
  return [...files].map(([file, keys]) =>
    finding(
      'warning',
      'files',
      file,
      `everybody may read it, and it sets ${keys.join(', ')}`,
      `chgrp to the daemon’s group, then: chmod 640 ${file}`,
    ),
  );
};
