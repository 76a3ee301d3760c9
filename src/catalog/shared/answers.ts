import type { CatalogEntry } from '../../../pipelines/model/index.ts';

/** The answers for paths that are asked for again and again, as long as the catalog is the same. */
export interface Answers {
  of(path: string, version: number): readonly CatalogEntry[] | undefined;
  keep(path: string, version: number, found: readonly CatalogEntry[]): void;
  /** Makes the next request for a path ask again. */
  forget(path: string): void;
}

/** Some hundred bytes each. */
const MOST = 5_000;
/** Milliseconds. A process that died in the middle of `catalog add` has changed entries without a new version. */
const LIFE = 5_000;

export const keepAnswers = (): Answers => {
  let byPath = new Map<string, readonly CatalogEntry[]>();
  let known = { version: -1, since: 0 };
  const isKnown = (version: number): boolean => known.version === version && performance.now() - known.since < LIFE;
  return {
    of: (path, version) => (isKnown(version) ? byPath.get(path) : undefined),
    keep: (path, version, found) => {
      if (!isKnown(version) || byPath.size >= MOST) {
        // An answer of an earlier version comes late.
        if (version < known.version) return;
        byPath = new Map();
        known = { version, since: performance.now() };
      }
      byPath.set(path, found);
    },
    forget: (path) => void byPath.delete(path),
  };
};
