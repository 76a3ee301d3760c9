import type { UnitKey } from '../repositories/unit.ts';
import type { StoreHistory } from './history.ts';
import type { Importer } from './store.ts';
import type { StoredEntry } from './stored-entry.ts';
import type { StoredRepository } from './stored-repository.ts';

/** A catalog as commands show it, whichever it is. Asking it writes nothing. */
export interface Listing {
  /**
   * The entries below a prefix (`/a` means `/a/…`, `/` all), in the order of paths; `inOrder:
   * 'age'`: oldest first. They are read while iterating, so a million entries take no memory.
   */
  entries(prefix: string, inOrder?: 'path' | 'age'): Iterable<StoredEntry> | AsyncIterable<ListedEntry>;
  /** The repositories that were imported, in the order of prefixes. */
  repositories(): Iterable<StoredRepository> | AsyncIterable<StoredRepository>;
  /** The earlier revisions of them, if the catalog keeps some. */
  readonly history?: Pick<StoreHistory, 'revisions' | 'labels'>;
  /** The entries that belong to none of them, in the order of paths. */
  singleEntries(): Iterable<StoredEntry> | AsyncIterable<ListedEntry>;
  /** All entries of a path, newest first. */
  find(path: string): Promise<readonly StoredEntry[]>;
  /** The key of a unit; `undefined` if it is unknown. */
  unitKey(typeId: string, unitId: string): Promise<UnitKey | undefined>;
  importers(): Iterable<ListedImporter> | AsyncIterable<ListedImporter>;
  /** One of them; rejects if it cannot be used. */
  importer(id: string): Promise<ListedImporter | undefined>;
  close(): Promise<void>;
}

/** An entry, or what is known of one that cannot be used. */
export type ListedEntry = StoredEntry | { readonly path: string; readonly problem: string };

export interface ListedImporter extends Importer {
  /** How many entries refer to it. */
  readonly entries: number;
  /** Why it cannot be used; its configuration is then left out. */
  readonly problem?: string;
}
