import { type ErrorCode, StreamError } from '../../pipelines/model/errors.ts';
import { readLists } from './checksum-list.ts';
import { type Index, listIndices, select } from './deb-indices.ts';
import { decompress, SUFFIXES } from './decompress.ts';
import {
  type Expected,
  type Format,
  firstMentions,
  metadataItem,
  type Repository,
  type RepositoryItem,
  type Selection,
} from './format.ts';
import { unlessOdd } from './odd-entry.ts';
import { readPackagesIndex } from './packages.ts';
import { openOptional } from './read.ts';
import { toRelativePath } from './relative-path.ts';
import { type Release, type ReleaseFile, SECTIONS } from './release.ts';
import { RELEASE_FILES, readRelease } from './release-files.ts';
import { readSourcesIndex } from './sources.ts';
import { makeMeter, parseVerified } from './verify.ts';

/** Failures of one file, not of its source. */
const WRONG: ReadonlySet<ErrorCode> = new Set(['WRONG_CHECKSUM', 'WRONG_LENGTH', 'KNOWN_WRONG', 'PROTOCOL_ERROR']);

/** A suite's folder below the base: `dists/NAME/`, or the folder itself for a flat repository. */
const folderOf = (suite: string): string => {
  if (!suite.endsWith('/')) return `dists/${suite}/`;
  const folder = suite.replace(/^(\.?\/+)+/, '');
  return folder === '' ? '' : `${toRelativePath(folder.slice(0, -1), `suite ${suite}`)}/`;
};

/** Clients choose the digest themselves. */
const byHashPaths = (folder: string, { path, digests }: ReleaseFile): readonly string[] =>
  digests.map(
    ({ section, value }) => `${folder}${path.slice(0, path.lastIndexOf('/') + 1)}by-hash/${section}/${value}`,
  );

/** Without the fields that only the Release file has. */
const expectedOf = ({ checksum, size }: ReleaseFile): Expected => ({ checksum, size });

/**
 * Reads an index. Returns whether the repository has it under one of its names. A partial mirror
 * keeps the Release file, which lists all of them.
 */
async function* readIndex(
  repository: Repository,
  folder: string,
  index: Index,
  files: ReadonlyMap<string, ReleaseFile>,
): AsyncGenerator<RepositoryItem, boolean> {
  const plain = files.get(index.path);
  let failure: { readonly error: unknown } | undefined;
  for (const name of index.names) {
    const listed = files.get(name);
    if (!listed) continue;
    const path = `${folder}${listed.path}`;
    const bytes = await openOptional(repository.read(path, expectedOf(listed)));
    if (!bytes) continue;
    const items = parseVerified(path, bytes, listed, (packed) =>
      parseVerified(`${path}, decompressed`, decompress(path, packed, plain?.size), plain ?? {}, (unpacked) =>
        index.read(repository, path, unpacked),
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
  repository.missing(`${folder}${index.path}`);
  return false;
}

/** Reads an index that no Release file lists, and all of its compressions. Returns whether there is one. */
async function* readBareIndex(
  repository: Repository,
  index: string,
  read: Index['read'],
): AsyncGenerator<RepositoryItem, boolean> {
  let found = false;
  for (const suffix of SUFFIXES) {
    const path = `${index}${suffix}`;
    const bytes = await openOptional(repository.read(path));
    if (!bytes) continue;
    const meter = makeMeter();
    const measured = meter.through(bytes);
    if (found) for await (const _ of measured);
    else yield* parseVerified(path, measured, {}, (packed) => read(repository, path, decompress(path, packed)));
    const { checksum, size } = meter.read();
    yield metadataItem(path, checksum, size);
    found = true;
  }
  return found;
}

/** Reads a flat repository without a Release file, from its `Packages` and `Sources` files alone. */
async function* readBare(repository: Repository, folder: string): AsyncGenerator<RepositoryItem> {
  const packages = yield* readBareIndex(repository, `${folder}Packages`, (repository, name, bytes) =>
    readPackagesIndex(repository, name, bytes, false),
  );
  const sources = yield* readBareIndex(repository, `${folder}Sources`, readSourcesIndex);
  if (packages || sources) return;
  throw new Error(
    `${repository.base}${folder}: found neither Release nor Packages; a repository with suites needs --suite NAME`,
  );
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
  const files = release.files
    .filter(({ path }) => !RELEASE_FILES.some((name) => name === path))
    .flatMap((file) => {
      const path = unlessOdd(repository, () => toRelativePath(file.path, `${folder}Release`));
      return path === undefined ? [] : [{ ...file, path }];
    });
  for (const file of files) {
    yield metadataItem(`${folder}${file.path}`, file.checksum, file.size);
    if (release.byHash)
      for (const path of byHashPaths(folder, file)) yield metadataItem(path, file.checksum, file.size);
  }
  const byPath = new Map(files.map((file) => [file.path, file]));
  const indices = select(listIndices(files), selection, `${folder}Release`);
  let found = 0;
  for (const index of indices) if ((yield* readIndex(repository, folder, index, byPath)) && index.main) found += 1;
  if (found > 0) return;
  const listed = indices.filter(({ main }) => main).length;
  throw new Error(`${folder}Release: none of its ${listed} Packages indices was found`);
}

async function* readSuite(repository: Repository, suite: string, selection: Selection): AsyncGenerator<RepositoryItem> {
  const folder = folderOf(suite);
  const release = yield* readRelease(repository, folder);
  // A flat repository may have a Release file that lists nothing: apt then takes Packages unverified.
  if (release && (release.files.length > 0 || !suite.endsWith('/') || repository.signatures))
    yield* readListed(repository, folder, release, selection);
  else if (suite.endsWith('/')) yield* readBare(repository, folder);
  else throw new Error(`${repository.base}${folder}: found neither Release nor InRelease`);
}

/**
 * Reads a Debian repository: the Release files and the files that they list, by name and by digest;
 * and what the indices among these list: packages, source packages, patches of indices, and the
 * installer's images. Listed files are not checked for existence. A mirror may lack some
 * compressions of an index; it answers 404 when a client requests one.
 */
export const deb: Format = firstMentions(async function* (repository, selection) {
  for (const suite of selection.suites ?? ['./']) yield* readSuite(repository, suite, selection);
  yield* readLists(repository, selection.lists);
});
