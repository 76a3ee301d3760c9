import type { Observable } from 'rxjs';
import type { Header } from '../../../pipelines/model/index.ts';
import type { Place } from '../../repositories/deb-place.ts';
import type { FoundUnit, Repository, Selection } from '../../repositories/format.ts';

/** Reads the whole file at a URL, without credentials. */
export type ReadWhole = (url: string) => Observable<Uint8Array>;

/**
 * Supports one type of alternate content sources: the units of a source, and the header fields that
 * its server needs.
 */
export interface Cataloger {
  /** The type's name in descriptors. */
  readonly type: string;
  /**
   * Yields the units of one repository while its metadata is read, in bounded memory. Throws if the
   * metadata is not available or fails verification. The units yielded until then do not count.
   */
  readonly read: (repository: Repository, selection: Selection) => AsyncIterable<FoundUnit>;
  /** The repository of one of the source's paths. Default: the folder of that path. */
  readonly place?: (path: string) => Place;
  /**
   * Emits header fields that every request to the source needs, for metadata and for units, then
   * completes. The caller keeps them.
   */
  readonly headers?: (read: ReadWhole) => Observable<readonly Header[]>;
}

/** The repository of one of a source's paths. */
export const placeOf = ({ place }: Cataloger, path: string): Place => place?.(path) ?? { path };
