/**
 * Which spelling of a request's path a catalog is asked for first: `raw`, as it stood on the wire,
 * or `decoded`.
 */
export type Spelling = 'raw' | 'decoded';

/** A path percent-decoded; as it is, if it is not percent-encoded properly. */
export const decodePath = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};
