import {
  closeSync,
  existsSync,
  fsyncSync,
  futimesSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isKeptName } from '../../catalog/metadata-files.ts';
import { asOwnerOf } from '../../lib/act-as.ts';
import { inspectDatabase, settleDatabase } from '../../lib/database-file.ts';
import { otherLayout } from '../../lib/layout.ts';
import { inheritFile, makeFolder, makeFolderSync } from '../../lib/private-files.ts';
import { BESIDE, putAside } from '../../lib/put-aside.ts';
import { isDamage } from '../../lib/sqlite-errors.ts';
import { syncPath } from '../../saves/copies/files.ts';
import { removeBare } from '../../saves/copies/inventory.ts';
import { lockState, metadataFolder } from '../state-folder.ts';
import { type Manifest, readArchive, type Take } from './archive.ts';
import { type BackedUp, type BackedUpDatabase, databasesOf, METADATA } from './content.ts';

export interface Restored extends Manifest {
  /** The names that the databases have now which were there before. */
  readonly former: readonly string[];
}

/** Where a file of the backup belongs, and the name that it waits under. */
interface Waiting {
  readonly file: string;
  readonly part: string;
  /** The folder as whose owner it is written. */
  readonly above: string;
}

/** Reads all of a backup and compares it with its list. Rejects if it is not whole. Changes nothing. */
export const checkBackup = (file: string): Promise<Manifest> =>
  readArchive(file, async (name, _, bytes) => {
    placeOf({ stateDir: '', catalog: '', saveDir: '', catalogType: 'sqlite' }, name);
    for await (const _ of bytes);
  });

/**
 * Puts a backup in the place of what the state folder holds. First all of it is unpacked next to its
 * place and verified; until then nothing changes. Rejects if a daemon uses the folder, and if the
 * backup is not whole or a later version made it.
 */
export const restore = async (settings: BackedUp, file: string): Promise<Restored> => {
  await makeFolder(settings.stateDir);
  for (const { file } of databasesOf(settings)) await makeFolder(dirname(file));
  const lock = lockState(settings);
  if (!lock)
    throw new Error(
      `a daemon is using ${settings.stateDir}: stop it (systemctl stop pulp-streamer), restore, and start it again`,
    );
  const waiting: Waiting[] = [];
  const unpack: Take = async (name, mtime, bytes) => {
    const file = placeOf(settings, name);
    const one = { file, part: `${file}.part`, above: aboveOf(settings, name) };
    const fd = asOwnerOf(one.above, () => {
      makeFolderSync(dirname(file));
      rmSync(one.part, { force: true });
      return openSync(one.part, 'wx', 0o600);
    });
    waiting.push(one);
    try {
      inheritFile(fd, one.part);
      for await (const chunk of bytes) writeFileSync(fd, chunk);
      // Clients are told the time of metadata.
      if (mtime) futimesSync(fd, mtime, mtime);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  };
  try {
    const manifest = await readArchive(file, unpack);
    const databases = databasesOf(settings).map((one) => ({ ...one, part: `${one.file}.part` }));
    const restored = databases.filter(({ name }) => manifest.files.some((one) => one.name === name));
    for (const one of restored) check(one, file);
    const former = restored.map(({ file }) => settled(file)).flatMap((setAside) => setAside());
    // Its revisions will count on from an earlier number, which their copies must not be taken for.
    await removeBare(settings.saveDir);
    for (const { file, part, above } of waiting) asOwnerOf(above, () => renameSync(part, file));
    for (const folder of new Set(waiting.map(({ file }) => dirname(file)))) await syncPath(folder);
    return { ...manifest, former };
  } finally {
    for (const { part, above } of waiting) asOwnerOf(above, () => rmSync(part, { force: true }));
    lock.release();
  }
};

/** The folder whose owner must be able to write a file: links below it may lead anywhere. */
const aboveOf = (settings: BackedUp, name: string): string =>
  name.startsWith(METADATA) ? settings.stateDir : dirname(placeOf(settings, name));

/** Where a file of a backup belongs. Throws if a backup has no such file. */
const placeOf = (settings: BackedUp, name: string): string => {
  const database = databasesOf(settings).find((one) => one.name === name);
  if (database) return database.file;
  const kept = name.startsWith(METADATA) ? name.slice(METADATA.length) : '';
  if (!isKeptName(kept)) throw new Error(`expected a backup of pulp-streamer; found ${name}, which none has`);
  return join(metadataFolder(settings), kept);
};

const check = ({ name, layout, part }: BackedUpDatabase & { readonly part: string }, file: string): void => {
  const found = inspectDatabase(part);
  if (found.damage !== undefined) throw new Error(`${file}: ${name} is damaged: ${found.damage}`);
  if (found.layout > layout || found.layout === 0)
    throw new Error(`${file}: ${name}: ${otherLayout(found.layout, layout).message}`);
};

/**
 * Merges the log of a database into it, so that it is one file. Returns how to give it another name,
 * which it keeps beside its own until it is replaced.
 */
const settled = (file: string): (() => readonly string[]) => {
  if (!existsSync(file)) return () => [];
  try {
    settleDatabase(file);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return () => [putAside(file)];
  }
  // Its last user removes them.
  const left = BESIDE.map((end) => file + end).find(existsSync);
  if (left !== undefined)
    throw new Error(`another command is using ${file} (${basename(left)} is there): wait until it has ended`);
  return () => {
    const aside = `${file}.replaced-${new Date().toISOString().replaceAll(':', '-')}`;
    linkSync(file, aside);
    return [aside];
  };
};
