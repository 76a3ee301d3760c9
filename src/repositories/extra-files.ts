import { CHECKSUM_ALGORITHMS } from '../../pipelines/model/entry.ts';
import { isRecord } from '../lib/record.ts';
import { messageOf } from '../lib/thrown.ts';
import { BOUNDS, BoundExceeded } from './bounds.ts';
import { toChecksum } from './checksum.ts';
import { metadataItem, type Repository, type RepositoryItem } from './format.ts';
import { parseJson } from './json.ts';
import { OddEntry, unlessOdd } from './odd-entry.ts';
import { toRelativePath } from './relative-path.ts';
import { toSize } from './size.ts';

/** The list of licences and keys in a tree, which productmd writes. */
export const EXTRA_FILES = 'extra_files.json';

/** `{"data": [{"file": "EULA", "size": 298, "checksums": {"sha256": "0123…"}}]}` */
export const readExtraFiles = (repository: Pick<Repository, 'leftOut'>, text: string): RepositoryItem[] => {
  const content = unlessOdd(repository, () => parse(text));
  const data = isRecord(content) && Array.isArray(content.data) ? content.data : [];
  if (data.length > BOUNDS.listed) throw new BoundExceeded(`${EXTRA_FILES}: lists more than ${BOUNDS.listed} files`);
  return data.flatMap((one: unknown) => unlessOdd(repository, () => toItem(one)) ?? []);
};

const parse = (text: string): unknown => {
  try {
    return parseJson(EXTRA_FILES, text);
  } catch (error) {
    if (error instanceof BoundExceeded) throw error;
    throw new OddEntry(`${EXTRA_FILES}: is not JSON (${messageOf(error)})`);
  }
};

const toItem = (one: unknown): RepositoryItem => {
  if (!isRecord(one) || typeof one.file !== 'string') throw new OddEntry(`${EXTRA_FILES}: an entry has no file`);
  const where = `${EXTRA_FILES}: ${one.file}`;
  const checksums: Record<string, unknown> = isRecord(one.checksums) ? one.checksums : {};
  const strongest = CHECKSUM_ALGORITHMS.findLast((algorithm) => typeof checksums[algorithm] === 'string');
  const checksum = strongest && toChecksum(strongest, String(checksums[strongest]), where);
  const size = typeof one.size === 'number' ? toSize(String(one.size), where) : undefined;
  return metadataItem(toRelativePath(one.file, where), checksum, size);
};
