import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Checksum } from '../../../pipelines/model/index.ts';
import { nameOf } from '../../catalog/metadata-files.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { StoredEntry } from '../../catalog/stored-entry.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import type { Settings } from '../../config/schema.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import { METADATA } from '../../repositories/format.ts';
import { findCopy } from '../../saves/copies/names.ts';
import { createArchive, type Manifest, type NewArchive } from '../backup/archive.ts';
import { metadataFolder } from '../state-folder.ts';
import { type CarriedRepository, entriesName, entryLine, fileName, REPOSITORIES } from './content.ts';
import { carriedOf, chosenRepositories } from './repositories.ts';

export interface ExportParts {
  readonly settings: Pick<Settings, 'stateDir' | 'saveDir'>;
  readonly own: Pick<CatalogStore, 'repositories' | 'entries' | 'units'>;
  /** Called with the bytes of files so far. */
  readonly onProgress?: (bytes: number) => void;
}

export interface ExportOptions {
  /** Default: all repositories. */
  readonly prefixes: readonly string[];
  /** What the other machine has already, by name, with its bytes. */
  readonly known?: ReadonlyMap<string, number>;
  /** Whether a file of this name is replaced. */
  readonly replace?: boolean;
}

/** What a bundle has of one repository. */
export interface Exported {
  readonly prefix: string;
  readonly packages: number;
  readonly metadata: number;
  /** Packages that have no copy here: the bundle does not name them. */
  readonly without: number;
  /** Files of metadata that are not kept here, of which the same is true: the first 20. */
  readonly missing: readonly string[];
}

export interface ExportResult {
  readonly repositories: readonly Exported[];
  /** Files and bytes in the bundle, and files that the other machine has already. */
  readonly files: number;
  readonly bytes: number;
  readonly known: number;
  readonly manifest: Manifest;
}

const NAMED = 20;

/**
 * Writes one file with the entries, metadata and copies of repositories, for a machine that cannot
 * reach their feeds. It names no package that has no copy, so the other machine never looks for one.
 * Rejects, and leaves no file, if a copy is damaged, or there is nothing to carry.
 */
export const exportBundle = async (
  { settings, own, onProgress = () => {} }: ExportParts,
  file: string,
  { prefixes, known = new Map(), replace = false }: ExportOptions,
): Promise<ExportResult> => {
  const there = await unlessMissing(stat(file));
  if (there?.isFile() && !replace) throw new Error(`${file} exists; name another file, or replace it with --replace`);
  const wanted = await chosenRepositories(own, prefixes);
  await using archive = await createArchive(file, 'bundle');
  const folder = metadataFolder(settings);
  const sizes = new Map<string, number>();
  let bytes = 0;

  /** The bytes of an entry's file, which the bundle has then, or the other machine; `undefined` if it has no copy. */
  const carry = async (entry: StoredEntry & { readonly checksum: Checksum }): Promise<number | undefined> => {
    const name = fileName(entry.checksum);
    const size = sizes.get(name) ?? known.get(name);
    if (size !== undefined) {
      sizes.set(name, size);
      return size;
    }
    await using handle = await opened(entry, settings.saveDir, folder);
    if (!handle) return undefined;
    const found = await handle.stat();
    if (entry.size !== undefined && found.size !== entry.size) return undefined;
    await addVerified(archive, entry, name, handle, found, (length) => {
      bytes += length;
      onProgress(bytes);
    });
    sizes.set(name, found.size);
    return found.size;
  };

  const repositories: Exported[] = [];
  const carried: CarriedRepository[] = [];
  for (const [index, repository] of wanted.entries()) {
    await using spool = await nameless(`${file}.${randomUUID()}.part`);
    repositories.push(await spoolEntries(own, repository, spool, carry));
    const lines = spool.createReadStream({ start: 0, autoClose: false });
    await archive.add(entriesName(index), await spool.stat(), lines);
    carried.push(carriedOf(repository, entriesName(index)));
  }
  if (repositories.every(({ packages, metadata }) => packages + metadata === 0))
    throw new Error('there is nothing to carry: no file of these repositories has a copy here');
  await addText(archive, REPOSITORIES, JSON.stringify(carried));
  const before = [...sizes].filter(([name]) => known.has(name));
  const manifest = await archive.finish({ carried: Object.fromEntries(before) });
  return { repositories, files: sizes.size - before.length, bytes, known: before.length, manifest };
};

/** The file of an entry, opened before it may be removed: kept metadata, or a copy. */
const opened = async (
  entry: StoredEntry & { readonly checksum: Checksum },
  saveDir: string,
  metadata: string,
): Promise<FileHandle | undefined> => {
  const kept =
    entry.unitTypeId === METADATA ? await unlessMissing(open(join(metadata, nameOf(entry.checksum)))) : undefined;
  if (kept) return kept;
  const copy = await findCopy(saveDir, entry);
  return copy && unlessMissing(open(copy.path));
};

const addVerified = async (
  archive: NewArchive,
  { path, checksum }: { readonly path: string; readonly checksum: Checksum },
  name: string,
  handle: FileHandle,
  found: { readonly size: number; readonly mtime: Date },
  taken: (length: number) => void,
): Promise<void> => {
  const hash = createHash(checksum.algorithm);
  const through = async function* (bytes: AsyncIterable<Uint8Array>) {
    for await (const chunk of bytes) {
      hash.update(chunk);
      taken(chunk.length);
      yield chunk;
    }
  };
  await archive.add(name, found, through(handle.createReadStream({ autoClose: false })));
  if (hash.digest('hex') !== checksum.value)
    throw new Error(`${path}: its copy is damaged; \`pulp-streamer copies verify\` removes what is`);
};

/** A file that is gone with its process. */
const nameless = async (path: string): Promise<FileHandle> => {
  const file = await open(path, 'wx+', 0o600);
  await rm(path);
  return file;
};

/** Writes a line for each entry of a repository whose file is carried. */
const spoolEntries = async (
  { entries, units }: ExportParts['own'],
  { prefix, importerId }: StoredRepository,
  lines: FileHandle,
  carry: (entry: StoredEntry & { readonly checksum: Checksum }) => Promise<number | undefined>,
): Promise<Exported> => {
  let [packages, metadata, without] = [0, 0, 0];
  const missing: string[] = [];
  const began = await entries.revisionBelow(prefix, importerId);
  for await (const page of entries.pages(prefix)) {
    for (const entry of page) {
      if (entry.importerId !== importerId || entry.prefix !== prefix || 'gone_since' in entry.data) continue;
      const { checksum, unitTypeId, unitId, path } = entry;
      const size = checksum && (await carry({ ...entry, checksum }));
      const isMetadata = unitTypeId === METADATA;
      if (!checksum || size === undefined) {
        if (!isMetadata) without += 1;
        else if (missing.length < NAMED) missing.push(path);
        continue;
      }
      if (isMetadata) metadata += 1;
      else packages += 1;
      await lines.writeFile(`${entryLine(entry, checksum, size, await units.find(unitTypeId, unitId))}\n`);
    }
  }
  if ((await entries.revisionBelow(prefix, importerId)) !== began)
    throw new Error(`${prefix || '/'}: a new revision was published while it was read; export it again`);
  return { prefix: prefix || '/', packages, metadata, without, missing };
};

const addText = async (archive: NewArchive, name: string, text: string): Promise<void> => {
  const bytes = Buffer.from(text);
  await archive.add(name, { size: bytes.length, mtime: new Date() }, Readable.from([bytes]));
};
