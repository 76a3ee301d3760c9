import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { BOUNDS } from '../../repositories/bounds.ts';
import { readLines } from '../../repositories/lines.ts';
import { readArchive } from '../backup/archive.ts';
import {
  type CarriedEntry,
  type CarriedRepository,
  checksumIn,
  entryIn,
  isEntriesName,
  REPOSITORIES,
  repositoriesIn,
} from './content.ts';

/** A bundle all of which was read and found right. */
export interface Checked {
  readonly made: string;
  readonly repositories: readonly CarriedRepository[];
  /** Its files by name, with their bytes. */
  readonly files: ReadonlyMap<string, number>;
  /** Reads the entries of a repository. Throws at one that is not valid. */
  entriesOf(repository: CarriedRepository): AsyncGenerator<Omit<CarriedEntry, 'importerId'>>;
}

/**
 * Reads all of a bundle: each file must be as its name states, and all as the list at the end says.
 * Its entries go to a folder of its own. Rejects if it is cut or damaged. Changes nothing else.
 */
export const checkBundle = async (
  file: string,
  folder: string,
  onProgress: (bytes: number) => void = () => {},
): Promise<Checked> => {
  const files = new Map<string, number>();
  const spooled = new Map<string, string>();
  let repositories: readonly CarriedRepository[] | undefined;
  let read = 0;
  const { made } = await readArchive(
    file,
    async (name, _, bytes) => {
      const checksum = checksumIn(name);
      if (checksum) {
        const hash = createHash(checksum.algorithm);
        let size = 0;
        for await (const chunk of bytes) {
          hash.update(chunk);
          size += chunk.length;
          read += chunk.length;
          onProgress(read);
        }
        if (hash.digest('hex') !== checksum.value)
          throw new Error(`damaged: ${name} has other content than its name states`);
        files.set(name, size);
      } else if (name === REPOSITORIES) repositories = repositoriesIn(await textOf(name, bytes));
      else if (isEntriesName(name)) {
        const spool = join(folder, `${spooled.size}.jsonl`);
        await using lines = await open(spool, 'wx', 0o600);
        for await (const chunk of bytes) await lines.writeFile(chunk);
        spooled.set(name, spool);
      } else throw new Error(`it may not have ${name} there`);
    },
    'bundle',
  );
  if (!repositories) throw new Error(`${file}: expected ${REPOSITORIES} in it`);
  const [without] = repositories.filter(({ entries }) => !spooled.has(entries));
  if (without) throw new Error(`${file}: expected ${without.entries} in it`);
  return {
    ...{ made, repositories, files },
    entriesOf: async function* ({ entries: name, prefix }) {
      await using lines = await open(spooled.get(name) ?? '');
      let number = 0;
      for await (const some of readLines(name, lines.createReadStream({ autoClose: false }), BOUNDS.item))
        for (const line of some) {
          number += 1;
          if (number > BOUNDS.items) throw new Error(`${file}: ${name} has more than ${BOUNDS.items} entries`);
          if (line !== '') yield entryIn(`${file}: ${name}: line ${number}`, line, prefix);
        }
    },
  };
};

const textOf = async (name: string, bytes: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > BOUNDS.whole) throw new Error(`${name} is longer than ${BOUNDS.whole} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};
