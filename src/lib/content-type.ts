import { Mime } from 'mime';
import other from 'mime/types/other.js';
import standard from 'mime/types/standard.js';

/** Types of package repositories that the common tables lack or name differently. */
const PACKAGES = {
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

const types = new Mime(standard, other).define(PACKAGES, true);

/**
 * The media type by the file's name; `application/octet-stream` if the name has no known suffix.
 */
export const contentType = (path: string): string => types.getType(path) ?? 'application/octet-stream';
