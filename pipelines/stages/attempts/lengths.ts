import { type Candidate, field, isSameState, type SourceHead, sameChecksum } from '../../model/index.ts';

/** What is remembered of contents whose sources do not say how long they are. */
export interface Lengths {
  /** Bytes of the content that the head is of, if they were counted before, or told by other means. */
  of(candidate: Candidate, head: SourceHead): number | undefined;
  /** The content had so many bytes. */
  learn(candidate: Candidate, head: SourceHead, length: number): void;
  /** What was remembered, or told, was wrong: nothing is told of this URL by other means from now on. */
  distrust(candidate: Candidate): void;
  /** Whether it was. */
  isDistrusted(candidate: Candidate): boolean;
}

interface Known {
  readonly candidate: Candidate;
  readonly head: SourceHead;
  /** Bytes; absent if what was told turned out wrong. */
  readonly length?: number;
}

/** URLs that are remembered, in memory. */
const REMEMBERED = 10_000;

/** The memory of lengths, shared by all requests. The URL that was not used for the longest time goes first. */
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
    learn: (candidate, head, length) => remember({ candidate, head, length }),
    distrust: (candidate) => remember({ candidate, head: { type: 'head', headers: [], from: 0 } }),
    isDistrusted: (candidate) => known.has(candidate.url) && known.get(candidate.url)?.length === undefined,
  };
};

/**
 * Whether the end of a body tells how long the content is. A body that is neither chunked nor of a
 * known length ends with its connection, as it does if the source dies (RFC 9112 section 6.3): then
 * only the checksum tells the one from the other.
 */
export const endsByItself = ({ entry }: Candidate, { headers, length }: SourceHead): boolean =>
  length !== undefined || entry.checksum !== undefined || field(headers, 'transfer-encoding') !== undefined;
