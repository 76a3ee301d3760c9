import { type Candidate, field, isSameState, type SourceHead, sameChecksum } from '../../model/index.ts';

/** Lengths of contents whose sources send none. */
export interface Lengths {
  /** Bytes of the content to which the head belongs, if they were counted before. */
  of(candidate: Candidate, head: SourceHead): number | undefined;
  /** Records the counted bytes of the content. */
  record(candidate: Candidate, head: SourceHead, length: number): void;
  /**
   * The remembered or announced length was wrong. From now on only counted lengths are used for
   * this URL.
   */
  distrust(candidate: Candidate): void;
  /** The content that was counted last is not the entry's: its length says nothing about the next one. */
  forget(candidate: Candidate): void;
  /** Whether the URL is distrusted. */
  isDistrusted(candidate: Candidate): boolean;
}

/** A distrusted URL has no length. */
type Known =
  | { readonly candidate: Candidate; readonly head: SourceHead; readonly length: number }
  | { readonly candidate: Candidate; readonly length?: undefined };

/** URLs that are kept in memory. */
const REMEMBERED = 10_000;

/** The memory of lengths, shared by all requests. The least recently used URL is dropped first. */
export const createLengths = (remembered = REMEMBERED): Lengths => {
  const known = new Map<string, Known>();

  const remember = (one: Known) => {
    known.delete(one.candidate.url);
    known.set(one.candidate.url, one);
    const [oldest] = known.keys();
    if (known.size > remembered && oldest !== undefined) known.delete(oldest);
  };

  return {
    of: (candidate, head) => {
      const found = known.get(candidate.url);
      if (found?.length === undefined || !isSameState(candidate, head, found.head)) return undefined;
      if (candidate.entry.checksum && !sameChecksum(candidate.entry, found.candidate.entry)) return undefined;
      remember(found);
      return found.length;
    },
    record: (candidate, head, length) => remember({ candidate, head, length }),
    distrust: (candidate) => remember({ candidate }),
    forget: ({ url }) => {
      if (known.get(url)?.length !== undefined) known.delete(url);
    },
    isDistrusted: ({ url }) => {
      const found = known.get(url);
      return found !== undefined && found.length === undefined;
    },
  };
};

/**
 * Whether the end of a body of unknown length proves the length of the content. A body that is not
 * chunked ends with its connection (RFC 9112 section 6.3), and so it does if the source dies. Only the
 * checksum then distinguishes the two.
 */
export const hasReliableEnd = ({ entry }: Candidate, { headers }: SourceHead): boolean =>
  entry.checksum !== undefined || field(headers, 'transfer-encoding') !== undefined;
