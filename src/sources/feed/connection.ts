import type { Header } from '../../../pipelines/model/index.ts';
import type { FeedRequest } from './request.ts';

/** Receives one response. Nothing is called after `end`, `error`, an unwanted body or `abort`. */
export interface Listener {
  /** Returns whether the body is wanted. */
  head(status: number, headers: readonly Header[]): boolean;
  data(bytes: Uint8Array): void;
  end(): void;
  error(error: unknown): void;
}

/** Controls one running request. */
export interface Exchange {
  pause(): void;
  resume(): void;
  /** Closes the connection, also a pending one, or stops waiting for one. */
  abort(): void;
}

/** A slot for one request at a time: a connection that is made when needed, and kept for the next request. */
export interface Connection {
  /**
   * Sends a request, not before the caller has returned. It may be paused at any time: before the
   * connection is established, before the head (which is still delivered), on the last chunk.
   * Pausing stops reading from the socket, so TCP flow control slows the feed. Calls `done` once,
   * when the next request may be sent.
   */
  send(request: FeedRequest, listener: Listener, done: () => void): Exchange;
  /** Ends the connection; a running request fails, and so do later ones. */
  close(): Promise<void>;
}

/**
 * An unwanted body is read to its end if it is at most this long (bytes) and takes at most this
 * long (milliseconds). A new connection would cost more.
 */
export const REST = { bytes: 64 * 1024, timeoutMs: 1000 };
