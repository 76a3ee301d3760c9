import { CHECKSUM_ALGORITHMS, type Checksum } from '../../pipelines/model/entry.ts';
import { digitsOf, toChecksum } from './checksum.ts';
import { metadataItem, type Repository, type RepositoryItem } from './format.ts';
import { readLines } from './lines.ts';
import { OddEntry, unlessOdd } from './odd-entry.ts';
import { openOptional } from './read.ts';
import { toRelativePath } from './relative-path.ts';
import { toSize } from './size.ts';
import { makeMeter } from './verify.ts';

/** The usual names of checksum lists, strongest first. */
export const LIST_NAMES = ['SHA512SUMS', 'SHA256SUMS', 'SHA1SUMS', 'MD5SUMS'] as const;
/** Those at the base of a folder of files, Fedora’s included. */
export const USUAL_LISTS = [...LIST_NAMES, 'CHECKSUM'];

interface ListedFile {
  readonly checksum: Checksum;
  readonly name: string;
}

/** The algorithm of a digest follows from its length. */
const checksumOf = (digest: string, where: string): Checksum => {
  const algorithm = CHECKSUM_ALGORITHMS.find((one) => digitsOf(one) === digest.length);
  return toChecksum(algorithm ?? `of ${digest.length} digits`, digest, where);
};

/** `SHA256 (NAME) = DIGEST`, as BSD’s tools and Fedora write it. */
const BSD = /^(\w+)(?:-(\w*))? ?\((.+)\) = ([0-9a-f]+)$/i;
/** `DIGEST  NAME`, or with a star for binary mode. A backslash in front: the name is escaped. */
const GNU = /^(\\?)([0-9a-f]+)\s+\*?(\S.*)$/i;
/** A digest alone, in a file that is named after the other one: `x.iso.sha256`. */
const ALONE = /^[0-9a-f]{32,}$/i;

const unescaped = (name: string): string => name.replace(/\\([\\n])/g, (_, one) => (one === 'n' ? '\n' : '\\'));

const toListed = (line: string, list: string, where: string): ListedFile => {
  const [, type, bits, bsdName, bsdDigest] = BSD.exec(line) ?? [];
  if (type && bsdName && bsdDigest)
    return { name: bsdName, checksum: toChecksum(`${type}${bits ?? ''}`, bsdDigest, where) };
  const [, escaped, digest, name] = GNU.exec(line) ?? [];
  if (digest && name) return { name: escaped ? unescaped(name) : name, checksum: checksumOf(digest, where) };
  if (ALONE.test(line)) return { name: list.replace(/\.\w+$/, ''), checksum: checksumOf(line, where) };
  throw new OddEntry(`${where}: '${line.slice(0, 120)}', expected DIGEST NAME, or ALGORITHM (NAME) = DIGEST`);
};

/** The lines of a list. A clear-signed one (RFC 9580 section 7) has further ones around them. */
async function* contentLines(
  list: string,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<[line: string, number: number]> {
  let number = 0;
  let part: 'headers' | 'content' | 'signature' = 'content';
  for await (const lines of readLines(list, bytes)) {
    for (const line of lines) {
      number += 1;
      if (line.startsWith('-----BEGIN PGP SIGNED')) part = 'headers';
      else if (line.startsWith('-----BEGIN PGP')) part = 'signature';
      else if (part === 'content') yield [line, number];
      else if (part === 'headers' && line.trim() === '') part = 'content';
    }
  }
}

/** The item of a file that a list names. */
type ToItem = (path: string, checksum: Checksum, size?: number) => RepositoryItem;

/**
 * Yields the files that a checksum list names, relative to its folder. `# NAME: SIZE bytes` in
 * front of a file states its size, as Fedora writes it.
 */
export async function* readChecksumList(
  repository: Pick<Repository, 'leftOut'>,
  list: string,
  bytes: AsyncIterable<Uint8Array>,
  toItem: ToItem = metadataItem,
): AsyncGenerator<RepositoryItem> {
  const folder = list.slice(0, list.lastIndexOf('/') + 1);
  let sized: { readonly name?: string; readonly size?: string } | undefined;
  let found = 0;
  for await (const [line, number] of contentLines(list, bytes)) {
    if (line.trim() === '') continue;
    if (line.startsWith('#')) {
      sized = /^# (?<name>.+): (?<size>\d+) bytes$/.exec(line)?.groups;
      continue;
    }
    const where = `${list}: line ${number}`;
    const item = unlessOdd(repository, () => {
      const { name, checksum } = toListed(line.trim(), list.slice(folder.length), where);
      const size = sized?.name === name ? toSize(sized.size, where) : undefined;
      return toItem(toRelativePath(folder + name.replace(/^(\.\/+)+/, ''), where), checksum, size);
    });
    if (!item) continue;
    found += 1;
    yield item;
  }
  if (found === 0) throw new Error(`${list}: lists no files that can be served`);
}

const SIGNATURES = ['.gpg', '.asc', '.sign', '.sig'];

/** The bytes of a whole file, as an item. */
const measured = async (path: string, bytes: AsyncIterable<Uint8Array>): Promise<RepositoryItem> => {
  const meter = makeMeter();
  for await (const _ of meter.through(bytes));
  const { checksum, size } = meter.read();
  return metadataItem(path, checksum, size);
};

/** The files of a checksum list that nothing else names; the list itself, and its signatures. */
async function* readOwnList(
  repository: Repository,
  list: string,
  bytes: AsyncIterable<Uint8Array>,
  toItem?: ToItem,
): AsyncGenerator<RepositoryItem> {
  const meter = makeMeter();
  // A list that names itself was written before it was complete.
  for await (const item of readChecksumList(repository, list, meter.through(bytes), toItem))
    if (item.path !== list) yield item;
  const { checksum, size } = meter.read();
  yield metadataItem(list, checksum, size);
  for (const suffix of SIGNATURES) {
    const signature = await openOptional(repository.read(`${list}${suffix}`));
    if (signature) yield await measured(`${list}${suffix}`, signature);
  }
}

/** The files of the named checksum lists, with the lists themselves. */
export async function* readLists(
  repository: Repository,
  lists: readonly string[] = [],
  toItem?: ToItem,
): AsyncGenerator<RepositoryItem> {
  for (const list of lists) {
    const path = toRelativePath(list, 'checksum list');
    yield* readOwnList(repository, path, repository.read(path), toItem);
  }
}

/** The files of the first usual checksum list at the base. Yields nothing if there is none. */
export async function* readUsualList(repository: Repository, toItem: ToItem): AsyncGenerator<RepositoryItem> {
  for (const name of USUAL_LISTS) {
    const bytes = await openOptional(repository.read(name));
    if (bytes) return yield* readOwnList(repository, name, bytes, toItem);
  }
}
