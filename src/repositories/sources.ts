import { trimSlashes } from '../lib/trim-slashes.ts';
import { toChecksum } from './checksum.ts';
import { parseDigestLine } from './digest-line.ts';
import type { Repository, RepositoryItem } from './format.ts';
import { unlessOdd } from './odd-entry.ts';
import { readStanzas, type Stanza } from './packages.ts';
import { resolvedPath } from './relative-path.ts';

/** Fields with lines `DIGEST SIZE NAME`. SHA-256 first, because every repository has it. */
const LISTS = [
  ['checksums-sha256', 'sha256'],
  ['checksums-sha512', 'sha512'],
  ['checksums-sha1', 'sha1'],
  ['files', 'md5'],
] as const;

const WANTED = new Set(['package', 'directory', ...LISTS.map(([field]) => field)]);

/** The unit type of the files of source packages. Pulp has no such type. */
const SOURCE_FILE = 'deb_source';

const toItem = (line: string, algorithm: string, folder: string, where: string): RepositoryItem => {
  const { digest, size, name } = parseDigestLine(line, where);
  const checksum = toChecksum(algorithm, digest, where);
  return {
    path: resolvedPath(`${folder}/${name}`, where),
    unitTypeId: SOURCE_FILE,
    unitKey: { name, checksumtype: checksum.algorithm, checksum: checksum.value },
    checksum,
    size,
  };
};

/** The files of one source package, each with its first checksum. */
const toItems = (repository: Pick<Repository, 'leftOut'>, stanza: Stanza, file: string): RepositoryItem[] => {
  const where = `${file}: source package ${stanza.get('package') ?? '(unnamed)'}`;
  const folder = trimSlashes(stanza.get('directory') ?? '.');
  const items = new Map<string, RepositoryItem>();
  for (const [field, algorithm] of LISTS) {
    for (const line of stanza.get(field)?.split('\n') ?? []) {
      if (line === '') continue;
      const item = unlessOdd(repository, () => toItem(line, algorithm, folder, `${where}: ${field}`));
      if (item && !items.has(item.path)) items.set(item.path, item);
    }
  }
  return [...items.values()];
};

/** Yields the files of each source package that a `Sources` index lists: `.dsc`, `.orig`, `.debian`. */
export async function* readSourcesIndex(
  repository: Pick<Repository, 'leftOut'>,
  name: string,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<RepositoryItem> {
  for await (const stanza of readStanzas(repository, name, bytes, WANTED)) yield* toItems(repository, stanza, name);
}
