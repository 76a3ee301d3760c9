import type { Selection } from './format.ts';

/** One repository of a source. */
export interface Place {
  /**
   * The path below the source's base URL, as in URLs, with a slash at its end; empty for the base
   * itself.
   */
  readonly path: string;
  /** The wanted part of the repository, for formats that have parts. */
  readonly selection?: Selection;
}

/**
 * The Debian repository of a path. A path `dists/NAME/` is the suite of that name, with its
 * packages below the base. Any other path is a flat repository.
 */
export const placeOfDeb = (path: string): Place => {
  const [, base, suite] = /^(|.*\/)dists\/(.+)\/$/.exec(path) ?? [];
  return base === undefined || suite === undefined ? { path } : { path: base, selection: { suites: [decoded(suite)] } };
};

/** Decodes a suite's name. An invalid percent-encoding stays as it is, and names no suite. */
const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
