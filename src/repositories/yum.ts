import type { Checksum } from '../../pipelines/model/index.ts';
import { maskUrl } from '../lib/mask.ts';
import { BOUNDS, BoundExceeded } from './bounds.ts';
import { toChecksum } from './checksum.ts';
import { readLists } from './checksum-list.ts';
import { decompress } from './decompress.ts';
import {
  type Expected,
  type Format,
  firstMentions,
  METADATA,
  metadataItem,
  type Repository,
  type RepositoryItem,
} from './format.ts';
import { OddEntry, unlessOdd } from './odd-entry.ts';
import { readDeltas } from './prestodelta.ts';
import { openOptional, readText } from './read.ts';
import { type Fields, readRecords } from './records.ts';
import { pathFrom, resolvedPath } from './relative-path.ts';
import { readSignature } from './repomd-signature.ts';
import { toSize } from './size.ts';
import { readTree } from './treeinfo.ts';
import { parseVerified } from './verify.ts';
import { withoutContent } from './without-content.ts';

const REPOMD = 'repodata/repomd.xml';

/** One `<data>` of repomd.xml. */
interface Listed {
  readonly type: string;
  /** Unix seconds; 0 if it states none. */
  readonly made: number;
  readonly path: string;
  readonly packed: Expected & { readonly checksum: Checksum };
  readonly open: Expected;
}

const need = (fields: Fields, field: string, where: string): string => {
  const value = fields[field];
  if (value === undefined || value === '') throw new OddEntry(`${where}: ${field} is missing`);
  return value;
};

const expected = (
  type: string | undefined,
  value: string | undefined,
  size: number | undefined,
  where: string,
): Expected => ({
  ...(type !== undefined && value !== undefined && { checksum: toChecksum(type, value, where) }),
  ...(size !== undefined && { size }),
});

/** The path of a location. dnf uses a URL, and one made of `xml:base`, as it is. */
const toPath = (fields: Fields, repository: Repository, where: string): string => {
  const href = need(fields, 'location@href', where);
  const isUrl = href.includes('://');
  const path = isUrl ? pathFrom(repository.base, href, where) : resolvedPath(href, where);
  const xmlBase = fields['location@xml:base'];
  if (isUrl || xmlBase !== undefined)
    repository.bypassed(`${where}: ${isUrl ? 'location is a URL' : `xml:base is '${maskUrl(xmlBase ?? '')}'`}`, 1);
  return path;
};

const toListed = (fields: Fields, repository: Repository): Listed => {
  const type = need(fields, '@type', `${REPOMD}: a data element`);
  const where = `${REPOMD}: data type="${type}"`;
  const size = toSize(fields.size, where);
  return {
    type,
    made: Number(fields.timestamp) || 0,
    path: toPath(fields, repository, where),
    packed: {
      checksum: toChecksum(need(fields, 'checksum@type', where), need(fields, 'checksum', where), where),
      ...(size !== undefined && { size }),
    },
    open: expected(fields['open-checksum@type'], fields['open-checksum'], toSize(fields['open-size'], where), where),
  };
};

const toPackage = (fields: Fields, file: string, repository: Repository): RepositoryItem => {
  const name = need(fields, 'name', `${file}: a package`);
  const where = `${file}: package ${name}`;
  const arch = fields.arch ?? '';
  const checksum = toChecksum(need(fields, 'checksum@type', where), need(fields, 'checksum', where), where);
  // For dnf, 0 means that the size is unknown.
  const size = toSize(fields['size@package'], where) || undefined;
  return {
    path: toPath(fields, repository, where),
    unitTypeId: arch === 'src' ? 'srpm' : 'rpm',
    unitKey: {
      name,
      epoch: fields['version@epoch'] || '0',
      version: fields['version@ver'] ?? '',
      release: fields['version@rel'] ?? '',
      arch,
      checksumtype: checksum.algorithm,
      checksum: checksum.value,
    },
    checksum,
    ...(size !== undefined && { size }),
  };
};

async function* readPackages(
  repository: Repository,
  { path }: Listed,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<RepositoryItem> {
  let stated: string | undefined;
  let found = 0;
  const onRoot = ({ packages }: Readonly<Record<string, string>>) => {
    stated = packages;
  };
  for await (const fields of readRecords(path, withoutContent(bytes, 'format'), 'package', onRoot)) {
    const item = unlessOdd(repository, () => toPackage(fields, path, repository));
    if (!item) continue;
    found += 1;
    yield item;
  }
  // dnf takes repositories that say of themselves that they are empty.
  if (found === 0 && stated !== '0')
    throw new Error(`${path}: lists no packages that can be served, expected ${stated ?? 'some, or packages="0"'}`);
}

const readPrimary = (repository: Repository, primary: Listed): AsyncGenerator<RepositoryItem> =>
  parseVerified(primary.path, repository.read(primary.path, primary.packed), primary.packed, (packed) =>
    parseVerified(
      `${primary.path}, decompressed`,
      decompress(primary.path, packed, primary.open.size),
      primary.open,
      (bytes) => readPackages(repository, primary, bytes),
    ),
  );

/** The names that tools have given the lists of delta packages. */
const DELTAS = ['prestodelta', 'deltainfo'];

/** Reads what repomd.xml, whose bytes are given, leads to. */
async function* readRepodata(repository: Repository, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<RepositoryItem> {
  const repomd = await readText(REPOMD, bytes);
  yield metadataItem(REPOMD, repomd.checksum, repomd.size);
  const signature = yield* readSignature(repository, REPOMD, repomd);
  const listed: Listed[] = [];
  for await (const fields of readRecords(REPOMD, toBytes(repomd.text), 'data')) {
    const file = unlessOdd(repository, () => toListed(fields, repository));
    if (file) listed.push(file);
    if (listed.length > BOUNDS.listed) throw new BoundExceeded(`${REPOMD}: lists more than ${BOUNDS.listed} files`);
  }
  if (signature)
    repository.signatures?.verified({ ...signature, date: Math.max(0, ...listed.map(({ made }) => made)) });
  for (const { path, packed } of listed) yield metadataItem(path, packed.checksum, packed.size);
  const primary = listed.find(({ type }) => type === 'primary');
  if (!primary)
    throw new Error(`${REPOMD}: no data of type primary, found ${listed.map(({ type }) => type).join(', ') || 'none'}`);
  yield* readPrimary(repository, primary);
  for (const one of listed) if (DELTAS.includes(one.type)) yield* readDeltas(repository, one);
}

async function* toBytes(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** Reads a further repository inside a tree: one of its variants or add-ons. */
async function* readInside(repository: Repository, folder: string): AsyncGenerator<RepositoryItem> {
  const inside: Repository = {
    base: `${repository.base}${folder}/`,
    read: (path, expected) => repository.read(resolvedPath(`${folder}/${path}`, folder), expected),
    missing: (path) => repository.missing(`${folder}/${path}`),
    leftOut: (problem, count) => repository.leftOut(`${folder}/${problem}`, count),
    bypassed: (what, count) => repository.bypassed(`${folder}/${what}`, count),
    ...(repository.signatures && { signatures: repository.signatures }),
  };
  const repomd = await openOptional(inside.read(REPOMD));
  if (!repomd) return inside.missing(REPOMD);
  for await (const item of readRepodata(inside, repomd)) {
    const path = resolvedPath(`${folder}/${item.path}`, folder);
    yield item.unitTypeId === METADATA ? metadataItem(path, item.checksum, item.size) : { ...item, path };
  }
}

/**
 * Reads a yum repository: repomd.xml, its signature and key if present, the files that it lists,
 * each package of `primary`, and each delta package; if there is a treeinfo, the installer's images
 * and the repositories inside the tree.
 */
export const yum: Format = firstMentions(async function* (repository, selection) {
  yield* readRepodata(repository, repository.read(REPOMD));
  const tree = await readTree(repository);
  for (const folder of tree?.folders ?? []) yield* readInside(repository, folder);
  // Last, since a tree may state an outdated digest of repomd.xml.
  yield* tree?.items ?? [];
  yield* readLists(repository, selection.lists);
});
