import { createReadStream, existsSync, statSync } from 'node:fs';
import { open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isKeptName } from '../../catalog/metadata-files.ts';
import { copyDatabase, inspectDatabase } from '../../lib/database-file.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import { metadataFolder } from '../state-folder.ts';
import { createArchive, type Manifest, type NewArchive } from './archive.ts';
import { type BackedUp, type BackedUpDatabase, databasesOf, METADATA } from './content.ts';

/**
 * Writes one file with everything of the state folder that cannot be had again, while a daemon and
 * commands may be using it. Rejects if `file` is there, unless it is to be replaced, and if a
 * database is damaged; then no file is left.
 */
export const backUp = async (settings: BackedUp, file: string, { replace = false } = {}): Promise<Manifest> => {
  if (!replace && isFile(file)) throw new Error(`${file} exists; name another file, or replace it with --replace`);
  const databases = databasesOf(settings).filter(({ file }) => existsSync(file));
  if (databases.length === 0)
    throw new Error(
      `${settings.stateDir} has neither a catalog nor an outbox: there is nothing to back up (state_dir)`,
    );
  await using archive = await createArchive(file);
  const folder = metadataFolder(settings);
  const kept = new Set<string>();
  // Before and after the catalog: a revision that is published in between needs files that come with
  // it, and one that it replaces needs those that may be removed then.
  await addMetadata(archive, folder, kept);
  for (const database of databases) await addDatabase(archive, database, `${file}.${database.name}.part`);
  await addMetadata(archive, folder, kept);
  return await archive.finish();
};

/** What else may be there is refused when the archive is made. */
const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

const addDatabase = async (archive: NewArchive, { name, file }: BackedUpDatabase, copy: string): Promise<void> => {
  await rm(copy, { force: true });
  const made = await open(copy, 'wx', 0o600);
  try {
    await made.close();
    await copyDatabase(file, copy);
    const { damage } = inspectDatabase(copy);
    if (damage !== undefined)
      throw new Error(`${file} is damaged (${damage}); restore an earlier backup, or import the repositories again`);
    await archive.add(name, await stat(copy), createReadStream(copy));
  } finally {
    await rm(copy, { force: true });
  }
};

/** Adds the files that are not among those `kept` already. */
const addMetadata = async (archive: NewArchive, folder: string, kept: Set<string>): Promise<void> => {
  for (const name of (await unlessMissing(readdir(folder))) ?? []) {
    if (kept.has(name) || !isKeptName(name)) continue;
    // One that is not needed any more may be removed at any time, but not while it is open.
    const handle = await unlessMissing(open(join(folder, name)));
    if (!handle) continue;
    kept.add(name);
    const found = await handle.stat();
    await archive.add(METADATA + name, found, handle.createReadStream());
  }
};
