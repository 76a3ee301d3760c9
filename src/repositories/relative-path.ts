const isControl = (character: string): boolean => character < ' ' || character === '\x7f';

/**
 * A file's location as metadata gives it, as a literal path below the repository's base. Throws, naming the file that says so,
 * where it would lead out of the base. Locations are file names, not URL references: `%2B` in one is no plus sign
 * (createrepo_c, dpkg-scanpackages, dnf and apt agree on that).
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

/** A literal relative path as a part of a URL. Plus signs are encoded too: some stores take them for spaces. */
export const toUrlPath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');
