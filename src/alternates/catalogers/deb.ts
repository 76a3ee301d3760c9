import type { Place } from './cataloger.ts';

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
