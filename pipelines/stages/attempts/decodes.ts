import { type Candidate, field, type SourceHead } from '../../model/index.ts';
import { isOwnCoding } from '../client-head.ts';

/**
 * Whether the body that follows a head is to be decoded: it is gzip although that was not asked
 * for, and only the decoded bytes can be the entry's.
 *
 * Without a checksum or a size nothing would prove that. A body whose length is the catalog's is the
 * file itself. If the catalog has no size, only a body that is compressed on the fly has no length;
 * one with a length may be a file that is gzip itself, which some servers declare as a coding. So do
 * names of compressed files.
 */
export const decodes = ({ entry: { checksum, size, path } }: Candidate, head: SourceHead): boolean => {
  const coding = field(head.headers, 'content-encoding');
  if (coding === undefined || !GZIP.test(coding.trim()) || isOwnCoding(path, coding)) return false;
  if (head.from > 0 || head.last !== undefined || (checksum === undefined && size === undefined)) return false;
  return size === undefined ? head.length === undefined : head.length !== size;
};

const GZIP = /^(x-)?gzip$/i;
