import type { Candidate, CatalogEntry, CopyProgress, ErrorCode, SourceId } from '../../../pipelines/model/index.ts';
import type { Extent } from '../../../pipelines/operators/basin.ts';

/** What viewers know of a candidate. */
interface SeenCandidate {
  readonly source: SourceId;
}

/** What viewers know of an event: a part of it, so that each event is one. */
export type SeenEvent =
  | { readonly type: 'found'; readonly candidates: readonly SeenCandidate[] }
  | { readonly type: 'attempt' | 'resumed'; readonly candidate: SeenCandidate; readonly from: number }
  | { readonly type: 'asked'; readonly candidate: SeenCandidate }
  | { readonly type: 'failed'; readonly candidate: SeenCandidate; readonly error: { readonly code: ErrorCode } }
  | {
      readonly type: 'head';
      readonly candidate: SeenCandidate &
        Pick<Candidate, 'unproven'> & { readonly entry: Pick<CatalogEntry, 'checksum'> };
      readonly first: number;
      readonly length?: number;
      readonly whole: boolean;
      readonly verified: boolean;
    }
  | { readonly type: 'behind'; readonly from: number }
  | { readonly type: 'recorded' | 'shared' | 'on-disk' };

/** An event other than a chunk, the bytes that came before it, and when it came: milliseconds after the start. */
export interface SeenNote {
  readonly at: number;
  readonly sent: number;
  readonly event: SeenEvent;
}

/** One request that runs, or has just ended. */
export interface Running {
  readonly id: string;
  readonly path: string;
  readonly client: string;
  /** Milliseconds since 1970. */
  readonly began: number;
  readonly notes: readonly SeenNote[];
  /** Body bytes so far. */
  readonly sent: number;
  /** Whether its client takes nothing at present. */
  readonly paused: boolean;
  /** Milliseconds of its pauses. */
  pausedFor(): number;
  /** How far the copy is that is kept of it; it may be in the making after the end. */
  readonly copy?: CopyProgress;
  /** The bytes of the transfer that were put on disk for its client alone. */
  readonly spill?: Extent;
  readonly end?: { readonly at: number; readonly outcome: 'complete' | 'failed' | 'left'; readonly code?: string };
}

/** When a note came, in milliseconds since 1970. */
export const timeOf = ({ began }: Running, { at }: SeenNote): number => Math.round(began + at);

/** Milliseconds after the end of a request for which the making of its copy is followed. */
const FOLLOWED = 300_000;

/** Whether nothing will happen to a request any more: neither to it nor to its copy. */
export const isOver = ({ copy, end }: Running, now: number): boolean =>
  end !== undefined && (!copy || copy.end !== undefined || end.at < now - FOLLOWED);
