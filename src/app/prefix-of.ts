/**
 * Finds the prefix of the longest of some repositories that a path, or a dated view, is below; otherwise
 * the path's first folder. A look-up takes as long for thousands of repositories as for one: each request
 * has one.
 */
export const prefixFinder = (repositories: readonly { readonly prefix: string }[]): ((path: string) => string) => {
  const known = new Set(repositories.map(({ prefix }) => prefix));
  return (path) => {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      if (known.has(folder)) return folder;
      // `/p@2026-11-20`
      const at = folder.lastIndexOf('@');
      if (at > folder.lastIndexOf('/') && known.has(folder.slice(0, at))) return folder.slice(0, at);
    }
    return /^\/[^/]+(?=\/)/.exec(path)?.[0] ?? '/';
  };
};
