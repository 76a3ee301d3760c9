import { toChecksum } from './checksum.ts';
import { type Format, metadataItem, type RepositoryItem } from './format.ts';
import { readLines } from './lines.ts';
import { toRelativePath } from './relative-path.ts';
import { makeMeter } from './verify.ts';

const MANIFEST = 'PULP_MANIFEST';

/** One line of CSV. Only the name may contain commas; it is then quoted. */
const LINE = /^(?:"((?:[^"]|"")*)"|(.+)),\s*([0-9a-fA-F]{64})\s*,\s*(\d+)\s*$/;

const toItem = (line: string, where: string): RepositoryItem => {
  const [, quoted, plain, digest, size] = LINE.exec(line) ?? [];
  const name = quoted?.replaceAll('""', '"') ?? plain;
  if (name === undefined || digest === undefined) {
    throw new Error(`${where}: '${line.slice(0, 120)}', expected NAME,SHA256,SIZE`);
  }
  const path = toRelativePath(name, where);
  const checksum = toChecksum('sha256', digest, where);
  return {
    path,
    unitTypeId: 'iso',
    unitKey: { name: path, checksum: checksum.value, size: Number(size) },
    checksum,
    size: Number(size),
  };
};

/** A folder of files with a PULP_MANIFEST. */
export const files: Format = async function* (repository) {
  const meter = makeMeter();
  let number = 0;
  let found = 0;
  for await (const lines of readLines(MANIFEST, meter.through(repository.read(MANIFEST)))) {
    for (const line of lines) {
      number += 1;
      if (line.trim() === '') continue;
      yield toItem(line, `${MANIFEST}: line ${number}`);
      found += 1;
    }
  }
  if (found === 0) throw new Error(`${MANIFEST}: lists no files`);
  const { checksum, size } = meter.read();
  yield metadataItem(MANIFEST, checksum, size);
};
