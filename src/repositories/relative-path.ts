const isControl = (character: string): boolean => character < ' ' || character === '\x7f';

/**
 * Converts a file's location in metadata to a literal path below the repository's base. Throws an
 * error that begins with `saidBy` if the path would leave the base. Locations are file names, not
 * URL references: `%2B` in one is not a plus sign. createrepo_c, dpkg-scanpackages, dnf and apt
 * agree on that.
 */
export const toRelativePath = (location: string, saidBy: string): string => {
  const path = location.replace(/^(\.\/+)+/, '');
  const fault =
    path === '' || path.endsWith('/')
      ? 'is not a file'
      : path.startsWith('/') || path.includes('://') || path.split('/').some((part) => part === '..' || part === '.')
        ? 'leads out of the repository'
        : [...path].some(isControl)
          ? 'contains control characters'
          : undefined;
  if (fault) throw new Error(`${saidBy}: location ${JSON.stringify(location)} ${fault}, expected a relative path`);
  return path;
};

/** Encodes a literal path for a URL, plus signs too: some stores read them as spaces. */
export const toUrlPath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');
