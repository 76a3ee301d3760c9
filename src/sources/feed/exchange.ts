import type { Dispatcher } from 'undici';
import { field, type Header } from '../../../pipelines/model/index.ts';
import { decimal } from './answer.ts';
import type { Connection, Pool } from './pool.ts';

/** Receives one response. Nothing is called after `end`, `error`, an unwanted body or `abort`. */
interface Listener {
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

/**
 * An unwanted body is read to its end if it is at most this long (bytes) and takes at most this
 * long (milliseconds). A new connection would cost more.
 */
const REST = { bytes: 64 * 1024, timeoutMs: 1000 };

/**
 * One request and its response over a connection of the pool. Pausing stops reading from the
 * socket, so TCP flow control slows the feed. It may be paused at any time: before the connection
 * is established, before the head (which is still emitted), on the last chunk.
 */
export const exchange = (pool: Pool, request: Dispatcher.DispatchOptions, listener: Listener): Exchange => {
  let controller: Dispatcher.DispatchController | undefined;
  let connection: Connection | undefined;
  let paused = false;
  let over = false;

  const endWith = (notify: () => void) => {
    if (over) return;
    over = true;
    notify();
  };

  const handler = (giveBack: () => void): Dispatcher.DispatchHandler => {
    let rest: NodeJS.Timeout | undefined;

    const end = (notify: () => void) => {
      clearTimeout(rest);
      giveBack();
      endWith(notify);
    };

    return {
      onRequestStart: (started) => {
        // If this throws here, undici drops the request and keeps the connection. Aborting would
        // close the connection.
        if (over) throw new Error('the request was abandoned');
        controller = started;
        if (paused) started.pause();
      },
      onResponseStart: (started, status) => {
        if (over || status < 200) return;
        const headers = headersOf(started.rawHeaders);
        if (listener.head(status, headers) || over) return;
        over = true;
        const length = decimal(field(headers, 'content-length')) ?? Number.POSITIVE_INFINITY;
        if (length > REST.bytes) return started.abort(new Error('the body is not wanted'));
        started.resume();
        rest = setTimeout(
          () => started.abort(new Error('the rest of an unwanted body takes too long')),
          REST.timeoutMs,
        ).unref();
      },
      onResponseData: (_, bytes) => {
        // A parser that is resumed within a body may first deliver nothing.
        if (!over && bytes.length > 0) listener.data(bytes);
      },
      onResponseEnd: () => {
        // undici takes a reset for the end of a body that has neither length nor chunks. It is a
        // failure like any other reset.
        const broken = connection?.broken?.();
        end(broken ? () => listener.error(broken) : listener.end);
      },
      onResponseError: (_, error) => end(() => listener.error(error)),
    };
  };

  const withdraw = pool.take((taken, giveBack) => {
    connection = taken;
    // undici's parser must not be re-entered. A failed or redirected response starts the next
    // request from within it.
    queueMicrotask(() => {
      if (over) return giveBack();
      try {
        taken.dispatcher.dispatch(request, handler(giveBack));
      } catch (error) {
        giveBack();
        endWith(() => listener.error(error));
      }
    });
  });

  return {
    pause: () => {
      paused = true;
      controller?.pause();
    },
    resume: () => {
      paused = false;
      // Not at once, for the same reason: another response's chunk may have opened the valve.
      queueMicrotask(() => {
        if (!paused && !over) controller?.resume();
      });
    },
    abort: () => {
      if (over) return;
      over = true;
      withdraw();
      if (controller) controller.abort(new Error('the request was abandoned'));
      else connection?.hangUp();
    },
  };
};

/**
 * Names and values in order, with their original spelling. HTTP/1.1 delivers buffers in which names
 * and values alternate.
 */
const headersOf = (raw: Dispatcher.DispatchController['rawHeaders']): readonly Header[] => {
  if (!Array.isArray(raw)) return [];
  const text = raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  return Array.from({ length: text.length / 2 }, (_, index) => [text[2 * index] ?? '', text[2 * index + 1] ?? '']);
};
