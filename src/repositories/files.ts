import type { Checksum } from '../../pipelines/model/entry.ts';
import { toChecksum } from './checksum.ts';
import { readLists, readUsualList, USUAL_LISTS } from './checksum-list.ts';
import { type Format, firstMentions, metadataItem, type Repository, type RepositoryItem } from './format.ts';
import { readLines } from './lines.ts';
import { OddEntry, unlessOdd } from './odd-entry.ts';
import { openOptional } from './read.ts';
import { toRelativePath } from './relative-path.ts';
import { toSize } from './size.ts';
import { makeMeter } from './verify.ts';

const MANIFEST = 'PULP_MANIFEST';

/** One line of CSV. Only the name may contain commas. */
const LINE = /^(?:"((?:[^"]|"")*)"|(.+)),\s*"?([0-9a-fA-F]{64})"?\s*,\s*"?(\d+)"?\s*$/;

const isoItem = (path: string, checksum: Checksum, size?: number): RepositoryItem => ({
  path,
  unitTypeId: 'iso',
  unitKey: { name: path, checksum: checksum.value, ...(size !== undefined && { size }) },
  checksum,
  ...(size !== undefined && { size }),
});

const toItem = (line: string, where: string): RepositoryItem => {
  const [, quoted, plain, digest, size] = LINE.exec(line) ?? [];
  const name = quoted?.replaceAll('""', '"') ?? plain;
  const bytes = toSize(size, where);
  if (name === undefined || digest === undefined || bytes === undefined) {
    throw new OddEntry(`${where}: '${line.slice(0, 120)}', expected NAME,SHA256,SIZE`);
  }
  return isoItem(toRelativePath(name, where), toChecksum('sha256', digest, where), bytes);
};

async function* readManifest(repository: Repository, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<RepositoryItem> {
  const meter = makeMeter();
  let number = 0;
  let found = 0;
  for await (const lines of readLines(MANIFEST, meter.through(bytes))) {
    for (const line of lines) {
      number += 1;
      if (line.trim() === '' || line.startsWith('#')) continue;
      const item = unlessOdd(repository, () => toItem(line, `${MANIFEST}: line ${number}`));
      if (!item) continue;
      yield item;
      found += 1;
    }
  }
  if (found === 0) throw new Error(`${MANIFEST}: lists no files that can be served`);
  const { checksum, size } = meter.read();
  yield metadataItem(MANIFEST, checksum, size);
}

/**
 * A folder of files with a PULP_MANIFEST, or with checksum lists: those that are selected, or one
 * with a usual name if the selection leaves that open.
 */
export const files: Format = firstMentions(async function* (repository, { lists }) {
  let absent: unknown;
  const manifest = await openOptional(repository.read(MANIFEST), (reason) => {
    absent = reason;
  });
  if (manifest) yield* readManifest(repository, manifest);
  yield* readLists(repository, lists, isoItem);
  if (manifest || lists?.length) return;
  if (lists) throw absent;
  let found = false;
  for await (const item of readUsualList(repository, isoItem)) {
    found = true;
    yield item;
  }
  if (!found)
    throw new Error(
      `${repository.base}: found neither ${MANIFEST} nor one of ${USUAL_LISTS.join(', ')}; another list needs --list NAME`,
    );
});
