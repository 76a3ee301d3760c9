import { type ErrorCode, StreamError } from '../../pipelines/model/errors.ts';
import { decompress, SUFFIXES } from './decompress.ts';
import {
  type Expected,
  type Format,
  metadataItem,
  type Repository,
  type RepositoryItem,
  type Selection,
} from './format.ts';
import { readPackagesIndex } from './packages.ts';
import { openOptional, readText } from './read.ts';
import { toRelativePath } from './relative-path.ts';
import { parseRelease, type Release, type ReleaseFile, SECTIONS, withoutSignature } from './release.ts';
import { makeMeter, parseVerified } from './verify.ts';

/** Failures of one file, not of its source. */
const WRONG: ReadonlySet<ErrorCode> = new Set(['WRONG_CHECKSUM', 'WRONG_LENGTH', 'KNOWN_WRONG', 'PROTOCOL_ERROR']);

const RELEASE_FILES = ['Release', 'InRelease', 'Release.gpg'];

/** One `Packages` index, in each compression that the Release file lists. */
interface Index {
  /** Without suffix, relative to the suite's folder. */
  readonly path: string;
  readonly component: string;
  readonly architecture: string;
}

/** A suite's folder below the base: `dists/NAME/`, or the folder itself for a flat repository. */
const folderOf = (suite: string): string => {
  if (!suite.endsWith('/')) return `dists/${suite}/`;
  const folder = suite.replace(/^(\.?\/+)+/, '');
  return folder === '' ? '' : `${toRelativePath(folder.slice(0, -1), `suite ${suite}`)}/`;
};

const toIndex = (path: string): Index => {
  const [, component, architecture] = /^(?:(.+)\/)?binary-([^/]+)\/Packages$/.exec(path) ?? [];
  return { path, component: component?.replace(/\/debian-installer$/, '') ?? '', architecture: architecture ?? '' };
};

const listIndices = (files: readonly ReleaseFile[]): Index[] => {
  const names = files.flatMap(({ path }) => {
    const [, plain] = /^((?:.*\/)?Packages)(?:\.\w+)?$/.exec(path) ?? [];
    return plain === undefined ? [] : [plain];
  });
  return [...new Set(names)].map(toIndex);
};

/** The selected indices. Packages for `all` architectures are part of every architecture. */
const select = (indices: readonly Index[], { components, architectures }: Selection, where: string): Index[] => {
  const demand = (what: 'component' | 'architecture', wanted: readonly string[] = []): void => {
    const there = new Set(indices.map((index) => index[what]));
    const unknown = wanted.find((name) => !there.has(name));
    if (unknown !== undefined) {
      throw new Error(
        `${where}: no ${what} '${unknown}', available: ${[...there].filter(Boolean).join(', ') || 'none'}`,
      );
    }
  };
  demand('component', components);
  demand('architecture', architectures);
  return indices.filter(
    ({ component, architecture }) =>
      (!components || components.includes(component)) &&
      (!architectures || architecture === 'all' || architectures.includes(architecture)),
  );
};

const byHashPath = (folder: string, { path, checksum, digest }: ReleaseFile): string =>
  `${folder}${path.slice(0, path.lastIndexOf('/') + 1)}by-hash/${digest}/${checksum.value}`;

/** Without the fields that only the Release file has. */
const expectedOf = ({ checksum, size }: ReleaseFile): Expected => ({ checksum, size });

async function* readIndex(
  repository: Repository,
  folder: string,
  index: Index,
  files: ReadonlyMap<string, ReleaseFile>,
): AsyncGenerator<RepositoryItem, boolean> {
  const plain = files.get(index.path);
  let failure: { readonly error: unknown } | undefined;
  for (const suffix of SUFFIXES) {
    const listed = files.get(`${index.path}${suffix}`);
    if (!listed) continue;
    const path = `${folder}${listed.path}`;
    const bytes = await openOptional(repository.read(path, expectedOf(listed)));
    if (!bytes) continue;
    const items = parseVerified(path, bytes, listed, (packed) =>
      parseVerified(`${path}, decompressed`, decompress(path, packed, plain?.size), plain ?? {}, (unpacked) =>
        readPackagesIndex(path, unpacked, true),
      ),
    );
    let found = 0;
    try {
      for await (const item of items) {
        found += 1;
        yield item;
      }
      return true;
    } catch (error) {
      // Its items cannot be taken back. A source that fails is not asked for the next one.
      if (found > 0 || (error instanceof StreamError && !WRONG.has(error.code))) throw error;
      failure ??= { error };
    }
  }
  if (failure) throw failure.error;
  // A partial mirror keeps the Release file, which lists all architectures.
  repository.missing(`${folder}${index.path}`);
  return false;
}

/** Reads a flat repository without a Release file, from the `Packages` files alone. */
async function* readBarePackages(repository: Repository, folder: string): AsyncGenerator<RepositoryItem> {
  let found = false;
  for (const suffix of SUFFIXES) {
    const path = `${folder}Packages${suffix}`;
    const bytes = await openOptional(repository.read(path));
    if (!bytes) continue;
    const meter = makeMeter();
    const measured = meter.through(bytes);
    if (found) for await (const _ of measured);
    else yield* parseVerified(path, measured, {}, (packed) => readPackagesIndex(path, decompress(path, packed), false));
    const { checksum, size } = meter.read();
    yield metadataItem(path, checksum, size);
    found = true;
  }
  if (!found) {
    throw new Error(
      `${repository.base}${folder}: found neither Release nor Packages; a repository with suites needs --suite NAME`,
    );
  }
}

async function* readListed(
  repository: Repository,
  folder: string,
  release: Release,
  selection: Selection,
): AsyncGenerator<RepositoryItem> {
  if (release.files.length === 0) {
    const fields = SECTIONS.map(([title]) => title).join(', ');
    throw new Error(`${folder}Release: lists no files, expected one of the fields ${fields}`);
  }
  // Some tools list a Release file in itself, with an outdated checksum.
  const files = release.files.filter(({ path }) => !RELEASE_FILES.includes(path));
  const hashed = new Set<string>();
  for (const file of files) {
    yield metadataItem(`${folder}${toRelativePath(file.path, `${folder}Release`)}`, file.checksum, file.size);
    if (!release.byHash) continue;
    // Several files of a folder may have the same content, for example empty files.
    const path = byHashPath(folder, file);
    if (!hashed.has(path)) yield metadataItem(path, file.checksum, file.size);
    hashed.add(path);
  }
  const byPath = new Map(files.map((file) => [file.path, file]));
  const indices = select(listIndices(files), selection, `${folder}Release`);
  let found = 0;
  for (const index of indices) if (yield* readIndex(repository, folder, index, byPath)) found += 1;
  if (found === 0) throw new Error(`${folder}Release: none of its ${indices.length} Packages indices was found`);
}

async function* readSuite(repository: Repository, suite: string, selection: Selection): AsyncGenerator<RepositoryItem> {
  const folder = folderOf(suite);
  let release: Release | undefined;
  for (const name of RELEASE_FILES) {
    const path = `${folder}${name}`;
    const bytes = await openOptional(repository.read(path));
    if (!bytes) continue;
    const { text, checksum, size } = await readText(path, bytes);
    yield metadataItem(path, checksum, size);
    if (!name.endsWith('.gpg')) release ??= parseRelease(path, withoutSignature(text));
  }
  // A flat repository may have a Release file that lists nothing: apt then takes Packages unverified.
  if (release && (release.files.length > 0 || !suite.endsWith('/')))
    yield* readListed(repository, folder, release, selection);
  else if (suite.endsWith('/')) yield* readBarePackages(repository, folder);
  else throw new Error(`${repository.base}${folder}: found neither Release nor InRelease`);
}

/**
 * Reads a Debian repository: the Release files, the files that they list, and the packages of each
 * `Packages` index. Listed files are not checked for existence. A mirror may lack some compressions
 * of an index; it answers 404 when a client requests one.
 */
export const deb: Format = async function* (repository, selection) {
  for (const suite of selection.suites ?? ['./']) yield* readSuite(repository, suite, selection);
};
