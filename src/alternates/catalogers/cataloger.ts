import type { Observable } from 'rxjs';
import type { Header } from '../../../pipelines/model/index.ts';
import type { Repository, Selection } from '../../repositories/format.ts';
import type { UnitKey } from '../../repositories/unit.ts';

/** A unit that a source has. */
export interface FoundUnit {
  readonly unitTypeId: string;
  readonly unitKey: UnitKey;
  /** Its file below the repository's base, literal; a folder, with a slash at its end or empty, where the unit is several files. */
  readonly path: string;
}

/** One repository of a source. */
export interface Place {
  /** Below the source's `base_url`, with a slash at its end, as it stands in URLs; empty for the base itself. */
  readonly path: string;
  /** What of it is wanted, for formats that know parts. */
  readonly selection?: Selection;
}

/** The whole file at a URL, asked for without credentials. */
export type ReadWhole = (url: string) => Observable<Uint8Array>;

/** Knows one type of alternate content sources: what such a source has, and what its server wants to be sent. */
export interface Cataloger {
  /** As descriptors name it. */
  readonly type: string;
  /**
   * Yields the units of one repository as its metadata is read, in bounded memory. Throws where the metadata cannot be had or believed;
   * then nothing that was yielded counts.
   */
  readonly read: (repository: Repository, selection: Selection) => AsyncIterable<FoundUnit>;
  /** The repositories of a source. Default: each of `paths`, or the base where there is none. */
  readonly places?: (paths: readonly string[]) => readonly Place[];
  /** Emits header fields that every request to the source needs, for metadata and for units, then completes; kept by the caller. */
  readonly headers?: (read: ReadWhole) => Observable<readonly Header[]>;
}

/** Where a source's repositories lie, by its descriptor's `paths`. */
export const placesOf = ({ places }: Cataloger, paths: readonly string[]): readonly Place[] => {
  if (places) return places(paths);
  return paths.length > 0 ? paths.map((path) => ({ path })) : [{ path: '' }];
};
