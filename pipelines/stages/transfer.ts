import type { OperatorFunction } from 'rxjs';
import type { CatalogEntry, Chunk, Digest, Head, Note, StreamRequest } from '../model/index.ts';

/** What a request emits before its report. */
export type TransferEvent = Head | Chunk | Note;

/** Where a body is to go on that another transfer began. */
export interface Start {
  /** What was promised. */
  readonly head: Head;
  /** Bytes of the body that the client has. */
  readonly sent: number;
  /** Of these bytes, where they are to be checked. */
  readonly digest?: Digest;
}

/**
 * How one request is answered from the entries of its path: one head, the chunks of its body, notes; or, from a start on, the rest of the
 * chunks and no head. Stages that decorate it make another one.
 */
export type Transfer = (
  request: StreamRequest,
  start?: Start,
  /** Whether somebody may have to go on from a chunk by himself: it then comes with its digest. */
  mayFallBehind?: () => boolean,
) => OperatorFunction<readonly CatalogEntry[], TransferEvent>;

/** A transfer inside its decorators, listed from the outermost to the innermost: the order in which they see a request. */
export const decorated = (transfer: Transfer, decorators: readonly ((inner: Transfer) => Transfer)[]): Transfer =>
  decorators.reduceRight((inner, decorate) => decorate(inner), transfer);
