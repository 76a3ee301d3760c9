import type { Basin, Extent } from '../operators/basin.ts';
import type { Candidate } from './candidate.ts';
import type { CopyProgress } from './copy-progress.ts';
import type { Digest } from './digest.ts';
import type { Phase, StreamError } from './errors.ts';
import type { Header } from './header.ts';
import type { Loan } from './loan.ts';
import type { Part } from './range.ts';
import type { Report } from './report.ts';

/** The first event of a source: exactly one, before its chunks. */
export interface SourceHead {
  readonly type: 'head';
  /** The status of its answer; absent if it does not use HTTP. */
  readonly status?: number;
  /** Header fields in order; repeated fields are separate. */
  readonly headers: readonly Header[];
  /** Bytes of the whole representation, even if only a part follows; absent if unknown. */
  readonly length?: number;
  /**
   * The first byte that follows: 0 unless the source honoured a later start (RFC 9110 section
   * 14.4).
   */
  readonly from: number;
  /** The last byte that follows; present only if the source honoured an earlier end than that of the content. */
  readonly last?: number;
  /** Only these parts follow, one after the other: those that were asked for (`AskedBytes`). */
  readonly parts?: readonly Part[];
  /**
   * A strong entity tag with its quotes (RFC 9110 section 8.8.3). Weak tags are omitted: they do
   * not prove that bytes are equal.
   */
  readonly etag?: string;
  /**
   * The source compares all bytes before it emits them with sums of the verified content, so that
   * no digest of them is needed. It errors instead of emitting others.
   */
  readonly checked?: boolean;
}

/**
 * Bytes of the body, in order. A consumer must not change them: other consumers can have the same
 * bytes. With a `loan` they are lent: a consumer that keeps them longer than the call must retain
 * the loan, or copy them. Without one they may be kept.
 */
export interface Chunk {
  readonly type: 'chunk';
  readonly bytes: Uint8Array;
  /**
   * The digest of the body up to and including these bytes; present only if transfers are shared. A
   * consumer that must continue with its own transfer uses a copy of it.
   */
  readonly digest?: Digest;
  readonly loan?: Loan;
}

/** A source emits one head, then chunks, and completes after its last byte. */
export type SourceEvent = SourceHead | Chunk;

/** The head of the response: exactly one, before any chunk. */
export interface Head {
  readonly type: 'head';
  /**
   * `206` if a part follows; `304` or `412`, without a body, if the request's conditions decide so;
   * `301`, without a body, if the path lacks the slash of a folder.
   */
  readonly status: 200 | 206 | 301 | 304 | 412;
  readonly headers: readonly Header[];
  /** Bytes of the whole body; absent if unknown. */
  readonly length?: number;
  /**
   * The body is the whole content: it can be verified, kept and recorded. A range can also cover
   * the whole content.
   */
  readonly whole: boolean;
  /**
   * The body's first byte in the content, and its last one if the content continues after it. Several
   * parts are counted as if they were adjacent (`adjoined`).
   */
  readonly first: number;
  readonly last?: number;
  /** Bytes of the whole content; absent if unknown. */
  readonly total?: number;
  /**
   * The candidate's strong entity tag. As long as it stays the same, further bytes of the candidate
   * belong to the same content.
   */
  readonly etag?: string;
  /** The state of the content at its source: see `stateOf`. Present if a checksum will judge it. */
  readonly state?: string;
  /** The source of the first byte. Others can deliver later bytes if their content is the same. */
  readonly candidate: Candidate;
  /** The status of the candidate's answer; absent if it does not use HTTP, or was not asked. */
  readonly sourceStatus?: number;
  /** The candidate's `Accept-Ranges`, in lower case; absent if it sent none, or was not asked. */
  readonly acceptRanges?: string;
  /** The whole content was verified before this head was sent (small files). */
  readonly verified: boolean;
  /** The candidate's bytes are checked by their source: see `SourceHead`. */
  readonly checked?: boolean;
  /**
   * The body is not sent: the head names a file that the proxy sends itself. Nothing proves what it
   * will send.
   */
  readonly handedOver?: boolean;
  /** A copy of the content is being kept. */
  readonly keepsCopy?: boolean;
  /** How far that copy is, if its store says so. */
  readonly copy?: CopyProgress;
  /** Where the whole body can be read while it is kept. */
  readonly basin?: Basin<Chunk>;
}

/** Reports progress; a client never sees it. */
export type Note =
  | { readonly type: 'found'; readonly candidates: readonly Candidate[] }
  | { readonly type: 'attempt'; readonly candidate: Candidate; readonly from: number }
  /** The last attempt at this candidate had to wait for a place at its source, and has one now. */
  | { readonly type: 'asked'; readonly candidate: Candidate }
  | {
      readonly type: 'resumed';
      readonly candidate: Candidate;
      readonly from: number;
      /**
       * The digest of the candidate's own bytes before `from`. Present if the body had none so far,
       * because its bytes were checked by their source, and this one's are not.
       */
      readonly digest?: Digest;
    }
  | {
      readonly type: 'failed';
      readonly candidate: Candidate;
      readonly error: StreamError;
      readonly phase: Phase;
      /** Body bytes passed on before the failure. */
      readonly sent: number;
    }
  | { readonly type: 'recorded'; readonly unitId: string }
  /** The request shares a running transfer of another request. */
  | { readonly type: 'shared' }
  /**
   * The request was too slow for the shared transfer. It continues with its own, from this byte.
   */
  | { readonly type: 'behind'; readonly from: number }
  /**
   * The client takes nothing. Its transfer runs on without it, and its bytes wait on disk: in the copy
   * in the making (the basin of the head), or in a spill.
   */
  | { readonly type: 'on-disk'; readonly basin: Extent };

/** Whether an event is a note: it reports progress, and the client does not receive it. */
export const isNote = (event: StreamEvent): event is Note =>
  event.type !== 'head' && event.type !== 'chunk' && event.type !== 'end';

/** The last event of a complete and correct response. */
export interface End {
  readonly type: 'end';
  readonly report: Report;
}

/**
 * A request emits notes at any time, one `head`, `chunk`s, and one `end`, then completes.
 * An incomplete or incorrect response has no `end`: it errors with a StreamError.
 */
export type StreamEvent = Head | Chunk | Note | End;
