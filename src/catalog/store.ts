import type { Child } from '../../pipelines/model/index.ts';
import type { UnitKey } from '../repositories/unit.ts';
import type { Answer, Listed } from './answer.ts';
import type { StoreHistory } from './history.ts';
import type { ImporterConfig } from './importer-config.ts';
import type { Staging } from './publication.ts';
import type { RefreshStore } from './refresh-store.ts';
import type { NewEntry, StoredEntry } from './stored-entry.ts';
import type { RepositoryKey, Roots, StoredRepository } from './stored-repository.ts';

/**
 * A catalog of our own, whose entries, importers and repositories the commands write. A prefix means
 * the paths below it: `/a` means `/a/…`, and `/` means all. A promise rejects, and a method that
 * answers at once throws, with CATALOG_UNAVAILABLE or the error of the store.
 */
export interface CatalogStore {
  readonly entries: StoreEntries;
  readonly importers: StoreImporters;
  readonly units: StoreUnits;
  readonly repositories: StoreRepositories;
  readonly leases: Leases;
  /** Absent if the catalog keeps no earlier revisions. */
  readonly history?: StoreHistory;
  /** Files of metadata for all machines that use the catalog. Absent if only one does. */
  readonly metadata?: SharedFiles;
  /** Done once requests see what other processes have published until now. */
  catchUp(): Answer<void>;
  close(): Answer<void>;
}

/** Files by their names, which state their digest. */
export interface SharedFiles {
  has(name: string): Promise<boolean>;
  /**
   * Stores a file with its time in milliseconds since 1970, unless it is there. Resolves to the time
   * that is stored.
   */
  put(name: string, bytes: AsyncIterable<Uint8Array>, modified: number): Promise<number>;
  /** `undefined` if it is not there. */
  get(name: string): Promise<{ readonly bytes: AsyncIterable<Uint8Array>; readonly modified: number } | undefined>;
  /** Removes files that were not stored within the last hour and are not needed. */
  sweep(isNeeded: (name: string) => boolean): Promise<void>;
}

/** The rights to refresh a source or a repository: see `catalogLease`. */
export type Leases = Pick<RefreshStore, 'acquire' | 'release'>;

/** The entries of each path. */
export interface StoreEntries {
  /** Newest first. */
  find(path: string): Answer<StoredEntry[]>;
  /** In the order of paths; with `inOrder: 'age'`, oldest first. */
  list(prefix: string, inOrder?: 'path' | 'age'): Listed<StoredEntry>;
  /** The same in the order of paths, in small steps between which others may change them. */
  pages(prefix: string): AsyncIterable<readonly StoredEntry[]>;
  /** What is directly below a folder, as the port Catalog emits it. */
  children(folder: string, after: Child | undefined, limit: number): Answer<Child[]>;
  /** Writes an entry as the newest revision of its path and importer; removes earlier ones. */
  add(entry: Omit<NewEntry, 'revision'>): Answer<StoredEntry>;
  /** All, but without those of repositories that are imported again. In the order of paths. */
  listSingle(): Listed<StoredEntry>;
  /** Returns the number of entries removed. */
  remove(path: string, importerId?: string): Answer<number>;
  /** The same; repositories at or below the prefix are forgotten. */
  removeBelow(prefix: string, importerId?: string): Answer<number>;
  /** How many entries of the last import of an importer below a prefix are still there. */
  countOf(prefix: string, importerId: string): Answer<number>;
  /** Whether a repository has packages below a folder. */
  hasPackageBelow(folder: string, repository: RepositoryKey): Answer<boolean>;
  /** The checksums of all metadata: `ALGORITHM-VALUE`. */
  metadataChecksums(): Answer<readonly string[]>;
  /** The newest revision of an importer below a prefix; 0 if there is none. */
  revisionBelow(prefix: string, importerId: string): Answer<number>;
  /** Ids of the importers that entries below a prefix refer to. */
  importersBelow(prefix: string): Answer<string[]>;
  /** How many entries refer to each importer; one without entries is absent. */
  countByImporter(): Answer<ReadonlyMap<string, number>>;
  /**
   * All entries, oldest first, in small steps between which others may change them. Those that belong
   * to no revision since `before` (Unix seconds) are removed instead.
   */
  tidied(before: number): AsyncIterable<readonly StoredEntry[]>;
  /** A staging area that collects many entries and publishes them at once. */
  stage(): Answer<Staging>;
}

/** Credentials and feed settings: one document of Pulp's `repo_importers`. */
export interface Importer {
  /** 24 hexadecimal digits, like an ObjectId. */
  readonly id: string;
  readonly repoId?: string;
  readonly typeId?: string;
  readonly config: ImporterConfig;
}

export interface StoreImporters {
  get(id: string): Answer<Importer | undefined>;
  list(): Answer<Importer[]>;
  add(importer: Omit<Importer, 'id'>): Answer<Importer>;
  /** The importer with exactly this configuration. */
  find(config: ImporterConfig): Answer<Importer | undefined>;
  /** The same; creates it if it does not exist. */
  ensure(config: ImporterConfig): Answer<Importer>;
  /** Replaces the configuration of an importer. Requests that follow use it. */
  change(id: string, config: ImporterConfig): Answer<void>;
  /** Returns whether it existed. Fails while entries refer to it. */
  remove(id: string): Answer<boolean>;
}

/** The keys of the units that entries refer to. */
export interface StoreUnits {
  /** A unit's key, if the catalog has it. */
  find(typeId: string, id: string): Answer<UnitKey | undefined>;
}

/** What was imported, or is followed, below which prefix. */
export interface StoreRepositories {
  /** In the order of prefixes. */
  list(): Answer<StoredRepository[]>;
  /**
   * Those that are followed, the longest prefix first, at once. Read again only after a change, which
   * another machine may see a second later.
   */
  followed(): readonly StoredRepository[];
  find(key: RepositoryKey): Answer<StoredRepository | undefined>;
  /** The URL of a repository. */
  baseOf(key: RepositoryKey): Answer<string | undefined>;
  /** Adds or replaces a repository. */
  save(repository: StoredRepository): Answer<void>;
  /** Records that the feed still has the last revision. Without effect for an unknown repository. */
  confirmed(key: RepositoryKey, at: number, roots: Roots): Answer<void>;
  /**
   * Records a try that failed, and the next one if it is planned. Without effect for an unknown
   * repository.
   */
  failed(key: RepositoryKey, attempted: number, problem: string, nextTry?: number): Answer<void>;
}

type AtOnce<T> = [T] extends [Listed<infer Item>]
  ? T extends readonly unknown[] | ReadonlyMap<unknown, unknown>
    ? T
    : Iterable<Item>
  : Awaited<T>;

/** The form of a part of the store that answers at once. */
export type Synchronous<Part> = {
  [Name in keyof Part]: Part[Name] extends (...given: infer Given) => infer Result
    ? (...given: Given) => AtOnce<Result>
    : Part[Name];
};

/** Whether two configurations of importers are the same. */
export const isSameConfig = (a: ImporterConfig, b: ImporterConfig): boolean => configText(a) === configText(b);

/** A configuration as a text, whatever the order of its keys. */
export const configText = (config: ImporterConfig): string =>
  JSON.stringify(Object.fromEntries(Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1))));
