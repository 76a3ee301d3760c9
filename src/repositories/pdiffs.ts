import { toChecksum } from './checksum.ts';
import { metadataItem, type RepositoryItem } from './format.ts';
import { readStanzas } from './packages.ts';
import { toRelativePath } from './relative-path.ts';

/** Fields with lines `DIGEST SIZE NAME` about the compressed patches, strongest first. */
const DOWNLOADS = [
  ['sha512-download', 'sha512'],
  ['sha256-download', 'sha256'],
  ['sha1-download', 'sha1'],
] as const;

/** Fields about the patches without compression, as older indices have them alone. */
const PATCHES = ['sha512-patches', 'sha256-patches', 'sha1-patches'];

const WANTED = new Set([...DOWNLOADS.map(([field]) => field), ...PATCHES]);

const namesIn = (lines: string | undefined, where: string): { digest: string; size: number; name: string }[] =>
  (lines?.split('\n') ?? [])
    .filter((line) => line !== '')
    .map((line) => {
      const [, digest, size, name] = /^(\S+)\s+(\d+)\s+(\S+)$/.exec(line) ?? [];
      if (!digest || !name) throw new Error(`${where}: '${line}', expected DIGEST SIZE NAME`);
      return { digest, size: Number(size), name };
    });

/**
 * Yields the patches of an index that a `….diff/Index` lists. Clients request them compressed.
 * Older tools state the digests of the unpacked patches alone: those patches have no checksum here.
 */
export async function* readPatchIndex(name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<RepositoryItem> {
  const folder = name.slice(0, name.lastIndexOf('/') + 1);
  for await (const stanza of readStanzas(name, bytes, WANTED)) {
    for (const [field, algorithm] of DOWNLOADS)
      for (const { digest, size, name: patch } of namesIn(stanza.get(field), `${name}: ${field}`))
        yield metadataItem(toRelativePath(folder + patch, name), toChecksum(algorithm, digest, name), size);
    for (const field of PATCHES)
      for (const { name: patch } of namesIn(stanza.get(field), `${name}: ${field}`))
        yield metadataItem(toRelativePath(`${folder}${patch}.gz`, name));
  }
}
