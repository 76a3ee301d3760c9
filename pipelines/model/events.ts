import type { Candidate } from './candidate.ts';
import type { Digest } from './digest.ts';
import type { Phase, StreamError } from './errors.ts';
import type { Header } from './header.ts';
import type { Report } from './report.ts';

/** What a source says first. Always before its chunks, exactly once. */
export interface SourceHead {
  readonly type: 'head';
  /** The status of its answer; absent where it speaks no HTTP. */
  readonly status?: number;
  /** Header fields in order, repeated ones apart. */
  readonly headers: readonly Header[];
  /** Bytes of the whole representation, also where only the rest of it follows; absent where the source does not say. */
  readonly length?: number;
  /** The first byte that follows: 0 unless the source honoured a later start (RFC 9110 section 14.4). */
  readonly from: number;
  /** The last byte that follows, where the source honoured an earlier end. */
  readonly last?: number;
  /** A strong entity tag, quotes included (RFC 9110 section 8.8.3). Weak ones are left out: they prove nothing about bytes. */
  readonly etag?: string;
}

/** Bytes of the body, in order. Whoever receives them may keep them, but not change them: others may have them as well. */
export interface Chunk {
  readonly type: 'chunk';
  readonly bytes: Uint8Array;
  /** What came so far, these bytes included: whoever has to go on from here by himself goes on with a copy of it. Only where transfers are shared. */
  readonly digest?: Digest;
}

/** What a source emits: one head, chunks, completion after the last byte that it has. */
export type SourceEvent = SourceHead | Chunk;

/** The head of the response: exactly one, before any chunk. */
export interface Head {
  readonly type: 'head';
  /** `206` where a part follows; `304` and `412`, without a body, where that is what the request's conditions lead to. */
  readonly status: 200 | 206 | 304 | 412;
  readonly headers: readonly Header[];
  /** Bytes of the whole body; absent where nobody says. */
  readonly length?: number;
  /** The body is the whole content: it can be checked against the checksum, kept and recorded. A range may be the whole, too. */
  readonly whole: boolean;
  /** Where the body lies in the content: its first byte, and its last one where it does not go on to the end. */
  readonly first: number;
  readonly last?: number;
  /** Bytes of the whole content; absent where nobody says. */
  readonly total?: number;
  /** The candidate's own strong entity tag: proves, as long as it is the same, that more of its bytes belong to the same content. */
  readonly etag?: string;
  /** Where the first byte comes from. What follows may come from others, proven to hold the same content. */
  readonly candidate: Candidate;
  /** The status of that candidate's own answer; absent where it speaks no HTTP, or was not asked. */
  readonly sourceStatus?: number;
  /** The whole content was checked before this head was let go (small files). */
  readonly verified: boolean;
  /** A copy of the content is being kept. */
  readonly keepsCopy?: boolean;
}

/** Something worth knowing on the way; nothing a client sees. */
export type Note =
  | { readonly type: 'found'; readonly candidates: readonly Candidate[] }
  | { readonly type: 'attempt'; readonly candidate: Candidate; readonly from: number }
  | { readonly type: 'resumed'; readonly candidate: Candidate; readonly from: number }
  | {
      readonly type: 'failed';
      readonly candidate: Candidate;
      readonly error: StreamError;
      readonly phase: Phase;
      /** Body bytes that had been passed on by then. */
      readonly sent: number;
    }
  | { readonly type: 'recorded'; readonly unitId: string }
  /** Another request has the same transfer under way: this one shares it. */
  | { readonly type: 'shared' }
  /** It could not keep up with the others, and goes on with a transfer of its own from this byte on. */
  | { readonly type: 'behind'; readonly from: number };

/** Whether an event is a note: something that happened, and nothing that a client gets. */
export const isNote = (event: StreamEvent): event is Note =>
  event.type !== 'head' && event.type !== 'chunk' && event.type !== 'end';

/** The last event of a whole and right response. */
export interface End {
  readonly type: 'end';
  readonly report: Report;
}

/**
 * What a request emits: notes at any time, one `head`, `chunk`s, one `end` last, then completion.
 * A response that is not whole and right has no `end`: it errors with a StreamError.
 */
export type StreamEvent = Head | Chunk | Note | End;
