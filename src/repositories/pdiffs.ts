import { toChecksum } from './checksum.ts';
import { parseDigestLine } from './digest-line.ts';
import { metadataItem, type Repository, type RepositoryItem } from './format.ts';
import { unlessOdd } from './odd-entry.ts';
import { readStanzas } from './packages.ts';
import { toRelativePath } from './relative-path.ts';

/**
 * Fields with lines `DIGEST SIZE NAME`, strongest first. The first ones are about the compressed
 * patches; older indices have only those about the patches without compression.
 */
const LISTS = [
  ['sha512-download', 'sha512', ''],
  ['sha256-download', 'sha256', ''],
  ['sha1-download', 'sha1', ''],
  ['sha512-patches', undefined, '.gz'],
  ['sha256-patches', undefined, '.gz'],
  ['sha1-patches', undefined, '.gz'],
] as const;

const WANTED = new Set(LISTS.map(([field]) => field));

const linesOf = (field: string | undefined): string[] => field?.split('\n').filter((line) => line !== '') ?? [];

/**
 * Yields the patches of an index that a `….diff/Index` lists. Clients request them compressed.
 * Older tools state the digests of the unpacked patches alone: those patches have no checksum here.
 */
export async function* readPatchIndex(
  repository: Pick<Repository, 'leftOut'>,
  name: string,
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<RepositoryItem> {
  const folder = name.slice(0, name.lastIndexOf('/') + 1);
  const toItem = (line: string, suffix: string, field: string, algorithm?: string): RepositoryItem => {
    const { digest, size, name: patch } = parseDigestLine(line, `${name}: ${field}`);
    const path = toRelativePath(folder + patch + suffix, name);
    return algorithm ? metadataItem(path, toChecksum(algorithm, digest, name), size) : metadataItem(path);
  };
  for await (const stanza of readStanzas(repository, name, bytes, WANTED)) {
    for (const [field, algorithm, suffix] of LISTS)
      for (const line of linesOf(stanza.get(field))) {
        const item = unlessOdd(repository, () => toItem(line, suffix, field, algorithm));
        if (item) yield item;
      }
  }
}
