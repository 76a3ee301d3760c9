import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillingFolder } from '../../catalog/metadata-files.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { Settings } from '../../config/schema.ts';
import { messageOf } from '../../lib/thrown.ts';
import { createSaveStore, type SaveStore } from '../../saves/copies/store.ts';
import { readArchive } from '../backup/archive.ts';
import { metadataFolder } from '../state-folder.ts';
import { noBundles } from '../warm/check.ts';
import { type Checked, checkBundle } from './check.ts';
import { type CarriedEntry, fileName } from './content.ts';
import { isThere, type Needed, type Places, placeFile } from './place.ts';
import { type Claim, claimPrefixes, type ImportedRepository, publish } from './publish.ts';
import { checkRoom } from './room.ts';

export interface ImportParts {
  readonly settings: Settings;
  readonly own: CatalogStore;
  /** Called with the bytes so far, of all that are read: the bundle is read twice. */
  readonly onProgress?: (bytes: number) => void;
}

export interface Imported {
  /** When the bundle was made. */
  readonly made: string;
  readonly repositories: readonly ImportedRepository[];
  /** Files that were put in their places, their bytes, and those that were there. */
  readonly files: number;
  readonly bytes: number;
  readonly present: number;
}

const NAMED = 3;

/** Runs work with a folder that is gone afterwards. */
const withFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'pulp-streamer-bundle-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** Reads all of a bundle, without any change. Rejects if it is not whole and right. */
export const verifyBundle = (
  file: string,
  onProgress?: (bytes: number) => void,
): Promise<Pick<Checked, 'made' | 'repositories' | 'files'>> =>
  withFolder(async (folder) => {
    const checked = await checkBundle(file, folder, onProgress);
    for (const repository of checked.repositories) for await (const _ of checked.entriesOf(repository));
    return checked;
  });

/**
 * Has the catalog serve what a bundle carries. First all of it is read and compared; if it is not
 * whole, or this machine lacks something, nothing changes. Then its files are put in their places, each
 * verified once more, and at the end each repository counts at once. A run that was ended is continued
 * by the next: what is in its place is not written again.
 */
export const importBundle = ({ settings, own, onProgress = () => {} }: ImportParts, file: string): Promise<Imported> =>
  withFolder(async (folder) => {
    const reason = noBundles(settings);
    if (reason !== undefined) throw new Error(`nothing can be imported: ${reason}`);
    const places: Places = {
      saveDir: settings.saveDir,
      metadata: metadataFolder(settings),
      ...(own.metadata && { shared: own.metadata }),
    };
    let before = 0;
    const checked = await checkBundle(file, folder, (bytes) => {
      before = bytes;
      onProgress(bytes);
    });
    const claim = await claimPrefixes(own, checked.repositories);
    using _filling = await fillingFolder(places.metadata);
    const { needed, present } = await plan(file, checked, places);
    await checkRoom(needed, settings);
    const bytes = await withStore(settings, (store) =>
      place(file, needed, { places, store, onProgress: (read) => onProgress(before + read) }),
    );
    await claim.check();
    const repositories = await publishAll(own, checked, claim, settings);
    return { made: checked.made, repositories, files: needed.size, bytes, present };
  });

const plan = async (file: string, checked: Checked, places: Places): Promise<{ needed: Needed; present: number }> => {
  const needed = new Map<string, CarriedEntry[]>();
  const lacking: string[] = [];
  let [present, lacks] = [0, 0];
  for (const repository of checked.repositories)
    for await (const entry of checked.entriesOf(repository)) {
      const one = { ...entry, importerId: '' };
      const name = fileName(entry.checksum);
      const size = checked.files.get(name);
      if (size !== undefined && size !== entry.size)
        throw new Error(`${file}: ${entry.path} has ${entry.size} bytes, and its file ${size}`);
      if (await isThere(one, places)) present += 1;
      else if (size !== undefined) {
        const others = needed.get(name);
        if (others) others.push(one);
        else needed.set(name, [one]);
      } else {
        lacks += 1;
        if (lacking.length < NAMED) lacking.push(entry.path);
      }
    }
  if (lacks > 0)
    throw new Error(
      `${file}: builds on a bundle that was not imported here, or whose copies are gone: ${lacks} files are missing (${lacking.join(', ')}${lacks > NAMED ? ' …' : ''}); import that one first, or export all without --since`,
    );
  return { needed, present };
};

/** Publishes each repository. Rejects at the first that cannot be, and says which count. */
const publishAll = async (own: CatalogStore, checked: Checked, claim: Claim, settings: Settings) => {
  const published: ImportedRepository[] = [];
  for (const repository of checked.repositories)
    try {
      published.push(await publish(own, checked, repository, claim, settings));
    } catch (error) {
      if (published.length === 0) throw error;
      const those = published.map(({ prefix }) => prefix).join(', ');
      throw new Error(`${messageOf(error)}; imported before that: ${those}`, { cause: error });
    }
  return published;
};

const withStore = async <T>(settings: Settings, work: (store: SaveStore) => Promise<T>): Promise<T> => {
  const problems: string[] = [];
  const store = createSaveStore({
    folder: settings.saveDir,
    shared: settings.shareCopies,
    mayFetch: () => false,
    onError: ({ message }) => problems.push(message),
  });
  try {
    return await work(store);
  } catch (error) {
    const [problem] = problems;
    throw problem === undefined ? error : new Error(problem, { cause: error });
  } finally {
    await store.close();
  }
};

interface Placing {
  readonly places: Places;
  readonly store: SaveStore;
  readonly onProgress: (bytes: number) => void;
}

/** Reads the bundle once more, and puts its needed files in their places. Resolves to their bytes. */
const place = async (file: string, needed: Needed, { places, store, onProgress }: Placing): Promise<number> => {
  let [read, placed] = [0, 0];
  if (needed.size === 0) return placed;
  await readArchive(
    file,
    async (name, mtime = new Date(), bytes) => {
      const entries = needed.get(name);
      const counted = async function* () {
        for await (const chunk of bytes) {
          read += chunk.length;
          onProgress(read);
          if (entries) placed += chunk.length;
          yield chunk;
        }
      };
      if (entries) await placeFile(entries, mtime, counted(), { places, store });
      else for await (const _ of counted());
    },
    'bundle',
  );
  return placed;
};
