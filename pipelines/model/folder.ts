import type { Checksum } from './entry.ts';

/** A file or folder directly below a folder of the catalog. */
export interface Child {
  /** As in the catalog's paths, without slashes. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Bytes of a file, if the catalog has it. */
  readonly size?: number;
  readonly checksum?: Checksum;
}

/** A small file that the catalog itself writes. */
export interface MadeFile {
  /** Its media type. */
  readonly type: string;
  readonly text: string;
}

/** How paths of folders are answered: they end with a slash, or lack only that. */
export interface FolderPolicy {
  /** The files that answer for their folder, the first known one. */
  readonly indexNames: readonly string[];
  /** Whether other folders are listed from the catalog. */
  readonly listings: boolean;
}
