import type { CatalogEntry, Chunk, Digest, Head, Note, StreamRequest } from '../model/index.ts';
import type { Stage } from '../operators/operate.ts';
import type { Tail } from './boundary.ts';

/** The events of a request before its report. */
export type TransferEvent = Head | Chunk | Note;

/** The point from which to continue a body that another transfer began. */
export interface Start {
  /** The head that the client has received. */
  readonly head: Head;
  /** Bytes of the body that the client has received. */
  readonly sent: number;
  /** The digest of these bytes, if they are verified. */
  readonly digest?: Digest;
  /** The last of them, if the body is a part. */
  readonly tail?: Tail;
}

/**
 * Answers one request from the entries of its path: one head, the chunks of its body, and notes.
 * With a `start`, emits the remaining chunks and no head. A stage that decorates a transfer makes
 * another one.
 */
export type Transfer = (
  request: StreamRequest,
  start?: Start,
  /** Whether a client may continue alone from a chunk, which then carries its digest. */
  mayFallBehind?: () => boolean,
) => Stage<readonly CatalogEntry[], TransferEvent>;

/**
 * A transfer inside its decorators, listed from the outermost to the innermost, in the order in
 * which they see a request.
 */
export const decorated = (transfer: Transfer, decorators: readonly ((inner: Transfer) => Transfer)[]): Transfer =>
  decorators.reduceRight((inner, decorate) => decorate(inner), transfer);
