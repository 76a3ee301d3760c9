import type { OperatorFunction } from 'rxjs';
import type { CatalogEntry, Chunk, Head, Note, StreamRequest } from '../model/index.ts';

/** What a request emits before its report. */
export type TransferEvent = Head | Chunk | Note;

/** How one request is answered from the entries of its path: one head, the chunks of its body, notes. Stages that decorate it make another one. */
export type Transfer = (request: StreamRequest) => OperatorFunction<readonly CatalogEntry[], TransferEvent>;
