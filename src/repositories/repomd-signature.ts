import { metadataItem, type Repository, type RepositoryItem, type Signature } from './format.ts';
import { openOptional, readText, type Snapshot } from './read.ts';
import { verify } from './signatures/verify.ts';

/**
 * Reads the signature and the key next to a repomd.xml. Yields those that exist; returns who has
 * signed it, if signatures are checked.
 */
export async function* readSignature(
  repository: Repository,
  name: string,
  repomd: Snapshot,
): AsyncGenerator<RepositoryItem, Signature | undefined> {
  const found = new Map<string, Snapshot>();
  for (const path of [`${name}.asc`, `${name}.key`]) {
    const bytes = await openOptional(repository.read(path));
    if (!bytes) continue;
    const file = await readText(path, bytes);
    yield metadataItem(path, file.checksum, file.size);
    found.set(path, file);
  }
  if (!repository.signatures) return undefined;
  const { keyring } = repository.signatures;
  const signature = { name: `${name}.asc`, bytes: found.get(`${name}.asc`)?.bytes };
  if (!signature.bytes)
    throw new Error(`${repository.base}${name}: is not signed, expected ${signature.name} by a key of ${keyring}`);
  const { signers, until } = await verify(
    { name, bytes: repomd.bytes, signature: { ...signature, bytes: signature.bytes } },
    keyring,
  );
  return { signers, ...(until !== undefined && { until }) };
}
