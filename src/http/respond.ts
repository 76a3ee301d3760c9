import type { ServerResponse } from 'node:http';
import { type BehaviorSubject, type Observable, Subscriber } from 'rxjs';
import {
  type Chunk,
  type Head,
  isCopy,
  type StreamError,
  type StreamEvent,
  toStreamError,
} from '../../pipelines/model/index.ts';
import { end } from './end.ts';
import { reset } from './reset.ts';
import { type How, respondWithError } from './respond-briefly.ts';
import { writeLent } from './write-lent.ts';

/** A response that is being written. */
export interface Writing {
  /** Call it when the response is over: stops writing, and frees what is held. */
  close(): void;
}

/**
 * Writes a response as its events come, and moves the valve. The valve is closed while the kernel
 * does not take more, and opens when it has taken everything. A valve that is closed at the start
 * opens at once.
 *
 * A failure before the head becomes a small error response. After the head the connection is reset,
 * so that neither a cache nor a client takes a part for the whole. `failed` is called with the error.
 * `fromDisk` is called if the client reads from a saved copy, or what waits for it on disk.
 */
export const respond = (
  res: ServerResponse,
  valve: BehaviorSubject<boolean>,
  events: Observable<StreamEvent>,
  how: How,
  failed: (error: StreamError) => void,
  fromDisk: () => void,
): Writing => {
  const writer = new Writer(res, valve, how, failed, fromDisk);
  events.subscribe(writer);
  if (!valve.value && res.writableLength === 0) valve.next(true);
  return writer;
};

/**
 * Chunks leave at once, except the last one: it waits for the end, and leaves with it. The client
 * can then rely on the effects of earlier notes, such as a save request, as soon as it has
 * everything. The head waits for the first chunk, but no longer than for the turn of the event loop.
 */
class Writer extends Subscriber<StreamEvent> implements Writing {
  readonly #res: ServerResponse;
  readonly #valve: BehaviorSubject<boolean>;
  readonly #how: How;
  readonly #failed: (error: StreamError) => void;
  readonly #fromDisk: () => void;
  /** Bytes of the body that are still to come, if its length is known. */
  #left: number | undefined;
  /** Retained until the response is over. */
  #last: Chunk | undefined;
  /** Whether bytes of the body have been written, and the head with them. */
  #begun = false;

  constructor(
    res: ServerResponse,
    valve: BehaviorSubject<boolean>,
    how: How,
    failed: (error: StreamError) => void,
    fromDisk: () => void,
  ) {
    super();
    this.#res = res;
    this.#valve = valve;
    this.#how = how;
    this.#failed = failed;
    this.#fromDisk = fromDisk;
  }

  close(): void {
    this.unsubscribe();
    this.#last?.loan?.release();
    this.#last = undefined;
  }

  /** An error thrown while writing fails the response, and unsubscribes from the sources. */
  protected override _next(event: StreamEvent): void {
    try {
      if (event.type === 'on-disk' || (event.type === 'head' && isCopy(event.candidate))) this.#fromDisk();
      if (event.type === 'head') this.#writeHead(event);
      else if (event.type === 'chunk') this.#take(event);
      else if (event.type !== 'end') this.#how.identity.observe(event);
    } catch (thrown) {
      this.error(thrown);
    }
  }

  protected override _complete(): void {
    end(this.#res, this.#last?.bytes, this.#how.clientTimeout);
    this.unsubscribe();
  }

  protected override _error(thrown: unknown): void {
    const res = this.#res;
    const error = toStreamError(thrown);
    this.#failed(error);
    // A plain end of the connection completes the body of an HTTP/1.0 response.
    if (res.headersSent) reset(res.socket);
    else respondWithError(res, error, this.#how);
    this.unsubscribe();
  }

  #writeHead(head: Head): void {
    const fields = this.#how.identity.ofHead(head);
    if (head.length !== undefined) fields.push('Content-Length', String(head.length));
    this.#left = head.length;
    this.#res.writeHead(head.status, fields);
    // Node holds the head until the first chunk. A body that is verified already follows at once.
    if (!head.verified) setImmediate(flushHead, this);
  }

  /** Unless its whole response waits, no client waits for a head. */
  flushHead(): void {
    if (!this.#begun && !this.#last && !this.#res.writableEnded && !this.#res.destroyed) this.#res.flushHeaders();
  }

  #take(chunk: Chunk): void {
    const { length } = chunk.bytes;
    // It is not the end, even if no byte is left.
    if (length === 0) return;
    if (this.#left !== undefined) this.#left -= length;
    if (this.#left === 0) {
      chunk.loan?.retain();
      this.#last = chunk;
      return;
    }
    this.#begun = true;
    if (writeLent(this.#res, chunk.bytes, chunk.loan, this.#emptied)) this.#valve.next(false);
  }

  readonly #emptied = (): void => {
    if (!this.#valve.value) this.#valve.next(true);
  };
}

const flushHead = (writer: Writer): void => writer.flushHead();
