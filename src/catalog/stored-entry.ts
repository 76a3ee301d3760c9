import type { CatalogEntry } from '../../pipelines/model/index.ts';
import type { UnitKey } from '../repositories/unit.ts';

/** An entry as a catalog of our own stores it. */
export interface StoredEntry extends CatalogEntry {
  /** The prefix of the import that wrote it. */
  readonly prefix?: string;
}

/** An entry to write, with its unit's key if known. */
export interface NewEntry extends StoredEntry {
  readonly unitKey?: UnitKey;
}
