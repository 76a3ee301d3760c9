import { fileURLToPath } from 'node:url';
import { firstValueFrom } from 'rxjs';
import type { Candidate, CatalogEntry, CopyWriter, Header } from '../../pipelines/model/index.ts';
import { lend, loanOf, SIZES } from '../../src/lib/lent-buffers.ts';
import { createSaveStore, type SaveStore, type SaveStoreOptions } from '../../src/saves/copies/store.ts';
import { digestOf } from './collect.ts';
import { filesBelow, temporaryFolders } from './folder.ts';
import { anEntry } from './pipeline.ts';

/** Stores of saved copies in folders that are removed after the test. */
export const stores = () => {
  const newFolder = temporaryFolders();

  /** A store and its errors; `restart` opens its folder as a later process would. */
  const aStore = (options: Partial<SaveStoreOptions> = {}) => {
    const folder = options.folder ?? newFolder();
    const errors: string[] = [];
    const store = createSaveStore({ folder, onError: ({ message }) => errors.push(message), ...options });
    const restart = () => aStore({ ...options, folder });
    return { ...store, folder, errors, files: () => filesOf(folder), restart };
  };
  return { newFolder, aStore };
};

const SIDECAR = '.meta.json';

/** Every file in a store's folder except the sidecars and the locks. */
export const filesOf = (folder: string): string[] => {
  const all = filesBelow(folder).filter((file) => !file.endsWith('.lock'));
  return all.filter((file) => !file.endsWith(SIDECAR) || !all.includes(file.slice(0, -SIDECAR.length)));
};

export const describing = (bytes: Uint8Array, more: Partial<CatalogEntry> = {}): CatalogEntry =>
  anEntry({ checksum: { algorithm: 'sha256', value: digestOf(bytes) }, ...more });

/** Writes bytes as a transfer does: in memory that is lent, and taken away as soon as nobody holds it. */
export const writeTo = (keeping: CopyWriter | undefined, bytes: Uint8Array, size = 65_536) => {
  for (let at = 0; at < bytes.length; at += size) {
    const memory = lend(2, SIZES[1]);
    const piece = memory.subarray(0, Math.min(size, bytes.length - at));
    piece.set(bytes.subarray(at, at + piece.length));
    keeping?.write(piece, loanOf(memory));
    loanOf(memory)?.release();
  }
};

/** Keeps a copy as a transfer with these header fields would. Resolves when it is in place. */
export const keep = async (
  store: SaveStore,
  entry: CatalogEntry,
  bytes: Uint8Array,
  headers: readonly Header[] = [],
) => {
  const keeping = store.keep(entry, bytes.length, headers);
  writeTo(keeping, bytes);
  keeping?.commit();
  await store.close();
};

export const find = (store: SaveStore, entry: CatalogEntry): Promise<Candidate | undefined> =>
  firstValueFrom(store.find(entry), { defaultValue: undefined });

export const fileOf = (candidate: Candidate | undefined) => fileURLToPath(String(candidate?.url));
