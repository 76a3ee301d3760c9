import { fstatSync, lstatSync, readlinkSync, realpathSync, type Stats } from 'node:fs';
import { basename, dirname, isAbsolute, join } from 'node:path';

/** The file that a name resolves to. */
export type Place =
  | { readonly kind: 'descriptor'; readonly fd: number }
  /** Neither a regular file nor a folder. */
  | { readonly kind: 'special'; readonly path: string; readonly stats: Stats }
  /** A regular file; without `stats` it does not exist yet. */
  | { readonly kind: 'file'; readonly path: string; readonly stats?: Stats };

/** The limit that Linux has. */
const LINKS = 40;

/**
 * Resolves a name, following symbolic links one at a time. A dangling link names the file to
 * create. A link to a descriptor of this process (`/dev/stdout`) must not be opened, because the
 * new descriptor starts at the beginning of the file. Throws if the name is a folder.
 */
export const placeOf = (name: string): Place => {
  if (name === '' || name.endsWith('/')) throw isFolder();
  let path = name;
  for (let links = 0; links <= LINKS; links += 1) {
    path = join(realFolder(dirname(path)), basename(path));
    const fd = descriptorAt(path);
    if (fd !== undefined) return { kind: 'descriptor', fd };
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (!stats || stats.isFile()) return { kind: 'file', path, stats };
    if (stats.isDirectory()) throw isFolder();
    if (!stats.isSymbolicLink()) return { kind: 'special', path, stats };
    const target = readlinkSync(path);
    // Not joined: the links before `..` must be followed first.
    path = isAbsolute(target) ? target : `${dirname(path)}/${target}`;
  }
  throw new Error('too many symbolic links');
};

const isFolder = (): Error => new Error('is a folder; expected a file');

const realFolder = (folder: string): string => {
  try {
    return realpathSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`folder ${folder} does not exist`, { cause: error });
  }
};

const descriptorAt = (path: string): number | undefined => {
  const [, pid, digits] = /^\/proc\/(\d+)(?:\/task\/\d+)?\/fd\/(\d+)$/.exec(path) ?? [];
  if (Number(pid) !== process.pid) return undefined;
  // Throws if the descriptor is not open.
  fstatSync(Number(digits));
  return Number(digits);
};
