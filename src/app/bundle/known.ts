import { open, readFile } from 'node:fs/promises';
import { codeOf } from '../../lib/thrown.ts';
import { type Manifest, manifestIn, readArchive } from '../backup/archive.ts';

const BRACE = '{'.charCodeAt(0);

/**
 * What a machine has that has imported a bundle, by name, with its bytes: from the bundle itself, or
 * from the manifest that was written beside it. Rejects if the file is neither.
 */
export const readKnown = async (file: string): Promise<ReadonlyMap<string, number>> => {
  const first = await firstByte(file).catch((error: unknown) => {
    throw new Error(`${file}: it cannot be read (${codeOf(error)}); expected a bundle, or its manifest`, {
      cause: error,
    });
  });
  const manifest =
    first === BRACE
      ? await writtenIn(file)
      : await readArchive(
          file,
          async (_, __, bytes) => {
            for await (const _ of bytes);
          },
          'bundle',
        );
  return new Map([
    ...Object.entries(manifest.carried ?? {}),
    ...manifest.files.map(({ name, size }) => [name, size] as const),
  ]);
};

const firstByte = async (file: string): Promise<number | undefined> => {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, 0);
  return bytesRead === 1 ? buffer[0] : undefined;
};

const writtenIn = async (file: string): Promise<Manifest> => {
  try {
    const manifest = manifestIn(await readFile(file, 'utf8'));
    if (manifest.kind !== 'bundle') throw new Error('it is not of a bundle');
    return manifest;
  } catch (error) {
    throw new Error(`${file}: expected a bundle, or the manifest that was written beside it`, { cause: error });
  }
};
