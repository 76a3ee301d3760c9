import other from 'mime/types/other.js';
import standard from 'mime/types/standard.js';

const OCTETS = 'application/octet-stream';

/** Types of package repositories that the common tables lack or name differently. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'application/x-rpm': ['rpm', 'drpm', 'srpm'],
  'application/vnd.debian.binary-package': ['deb', 'udeb', 'ddeb'],
  'application/x-iso9660-image': ['iso'],
  'application/vnd.sqlite3': ['sqlite', 'sqlite3'],
  'application/zstd': ['zst', 'zstd'],
  'application/pgp-signature': ['asc', 'sig'],
  'application/pgp-keys': ['gpg'],
  'text/plain': ['dsc'],
  // As Pulp and common web servers name it.
  'text/xml': ['xml'],
};

/** By suffix; ours over the common ones. A star marks a suffix whose usual type is another. */
const tableOf = (): ReadonlyMap<string, string> =>
  new Map(
    [standard, other, PACKAGES].flatMap((table) =>
      Object.entries(table).flatMap(([type, suffixes]) => suffixes.map((suffix) => [suffix, type] as const)),
    ),
  );

/** Made for the first name with a suffix, since a start should not wait for it. */
let types: ReadonlyMap<string, string> | undefined;

/** The media type by the file's name; `application/octet-stream` if the name has no known suffix. */
export const contentType = (path: string): string => {
  const [, suffix] = /[^/]\.([^./]+)$/.exec(path) ?? [];
  if (suffix === undefined) return OCTETS;
  types ??= tableOf();
  return types.get(suffix.toLowerCase()) ?? OCTETS;
};
