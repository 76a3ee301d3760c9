/** A path of a view of a repository: `/PREFIX@NAME/REST`. */
export interface ViewPath {
  readonly prefix: string;
  readonly name: string;
  /** Empty, or with a slash at its beginning. */
  readonly rest: string;
}

/** Segments with an `@` that are looked at: a path may have thousands. */
const MOST = 16;

/**
 * The view that a path is of: its last segment with an `@` directly after the prefix of a repository.
 * No name of a view has an `@`, but prefixes may. `undefined` for any other path.
 */
export const viewIn = (path: string, isPrefix: (prefix: string) => boolean): ViewPath | undefined => {
  let found: ViewPath | undefined;
  let looked = 0;
  // Most paths have none.
  for (let at = path.indexOf('@'); at >= 0 && looked < MOST; looked += 1) {
    const slash = path.indexOf('/', at);
    const end = slash < 0 ? path.length : slash;
    const last = path.lastIndexOf('@', end);
    // The repository at `/` has `/@NAME/`, any other one no slash before the `@`.
    const prefix = last === 1 ? '' : path.slice(0, last);
    if (path.startsWith('/') && !prefix.endsWith('/') && isPrefix(prefix))
      found = { prefix, name: path.slice(last + 1, end), rest: path.slice(end) };
    at = path.indexOf('@', end);
  }
  return found;
};
