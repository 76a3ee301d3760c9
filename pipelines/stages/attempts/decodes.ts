import {
  type Candidate,
  errorSourceOf,
  field,
  isOwnCoding,
  type SourceHead,
  StreamError,
  stateOf,
} from '../../model/index.ts';

/** What is known of earlier transfers: see `Health`. */
export type WasWrong = (candidate: Candidate, head: SourceHead) => boolean;

/**
 * Whether the body that follows a head is to be decoded: it is gzip although that was not asked
 * for, and only the decoded bytes can be the entry's.
 *
 * A body whose length is known and not the catalog's is not the file itself. Otherwise it may be:
 * some servers declare a file's own compression as a coding. It then passes as it is, unless the
 * same body was found wrong before. Without a checksum or a size nothing would prove it right.
 */
export const decodes = (candidate: Candidate, head: SourceHead, wasWrong: WasWrong = () => false): boolean => {
  const { size } = candidate.entry;
  if (!isCoded(candidate, head)) return false;
  if (size !== undefined && head.length !== undefined) return size !== head.length;
  return wasWrong(candidate, head);
};

/** Whether a whole body is declared as gzip, and its decoded bytes could be proven right. */
export const isCoded = ({ entry: { checksum, size, path } }: Candidate, head: SourceHead): boolean => {
  const coding = field(head.headers, 'content-encoding');
  if (coding === undefined || !GZIP.test(coding.trim()) || isOwnCoding(path, coding)) return false;
  return head.from === 0 && head.last === undefined && (checksum !== undefined || size !== undefined);
};

/** The failure of a coded body that is not the entry's. The next attempt decodes it. */
export const wrongCoding = (candidate: Candidate, head: SourceHead): StreamError => {
  const what = `${candidate.url} sent gzip unasked, and it is not the file itself`;
  return new StreamError('WRONG_CODING', errorSourceOf(candidate), what, { state: stateOf(candidate, head) });
};

const GZIP = /^(x-)?gzip$/i;
