import { CHECKSUM_ALGORITHMS } from '../../pipelines/model/entry.ts';
import { isRecord } from '../lib/record.ts';
import { toChecksum } from './checksum.ts';
import { metadataItem, type RepositoryItem } from './format.ts';
import { toRelativePath } from './relative-path.ts';

/** The list of licences and keys in a tree, which productmd writes. */
export const EXTRA_FILES = 'extra_files.json';

/** `{"data": [{"file": "EULA", "size": 298, "checksums": {"sha256": "0123…"}}]}` */
export const readExtraFiles = (text: string): RepositoryItem[] => {
  const content: unknown = JSON.parse(text);
  const data = isRecord(content) && Array.isArray(content.data) ? content.data : [];
  return data.map((one: unknown) => {
    if (!isRecord(one) || typeof one.file !== 'string') throw new Error(`${EXTRA_FILES}: an entry has no file`);
    const where = `${EXTRA_FILES}: ${one.file}`;
    const checksums: Record<string, unknown> = isRecord(one.checksums) ? one.checksums : {};
    const strongest = CHECKSUM_ALGORITHMS.findLast((algorithm) => typeof checksums[algorithm] === 'string');
    const checksum = strongest && toChecksum(strongest, String(checksums[strongest]), where);
    return metadataItem(toRelativePath(one.file, where), checksum, typeof one.size === 'number' ? one.size : undefined);
  });
};
