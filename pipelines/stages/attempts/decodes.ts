import {
  type Candidate,
  errorSourceOf,
  field,
  isOwnCoding,
  type SourceHead,
  StreamError,
  stateOf,
  trimBlanks,
} from '../../model/index.ts';

/** What is known of earlier transfers: see `Health`. */
export type WasCoded = (candidate: Candidate, head: SourceHead) => boolean;

/**
 * Whether the body that follows a head is to be decoded: it is gzip although that was not asked
 * for, and only the decoded bytes can be the entry's.
 *
 * That is certain if its length is not the catalog's. A body of unknown length may be the file
 * itself: some servers declare a file's own compression as a coding. It passes as it is, unless the
 * same body was found to have another length before. Without a size in the catalog nothing is
 * decoded.
 */
export const decodes = (candidate: Candidate, head: SourceHead, wasCoded: WasCoded = () => false): boolean => {
  if (!isCoded(candidate, head)) return false;
  return head.length === undefined ? wasCoded(candidate, head) : head.length !== candidate.entry.size;
};

/** Whether a whole body is declared as gzip, and its length can show that it is not the file itself. */
export const isCoded = ({ entry: { size, path } }: Candidate, head: SourceHead): boolean => {
  if (size === undefined || head.from > 0 || head.last !== undefined) return false;
  const coding = field(head.headers, 'content-encoding');
  return coding !== undefined && GZIP.test(trimBlanks(coding)) && !isOwnCoding(path, coding);
};

/** The failure of a coded body that is not the entry's. The next attempt decodes it. */
export const wrongCoding = (candidate: Candidate, head: SourceHead): StreamError => {
  const what = `${candidate.url} sent gzip unasked, and it is not the file itself`;
  return new StreamError('WRONG_CODING', errorSourceOf(candidate), what, { state: stateOf(candidate, head) });
};

const GZIP = /^(x-)?gzip$/i;
