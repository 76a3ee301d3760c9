/** The prefix of the longest of some repositories that a path is below, otherwise the path's first folder. */
export const prefixOf = (repositories: readonly { readonly prefix: string }[], path: string): string => {
  let longest = '';
  for (const { prefix } of repositories)
    if (prefix.length > longest.length && path.startsWith(prefix) && path[prefix.length] === '/') longest = prefix;
  return longest || (/^\/[^/]+(?=\/)/.exec(path)?.[0] ?? '/');
};
