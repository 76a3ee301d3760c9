import type { Dispatcher } from 'undici';
import { field, type Header } from '../../../pipelines/model/index.ts';
import { decimal } from './answer.ts';
import type { Connection, Pool } from './pool.ts';

/** Who hears of one response. Nothing is called after `end`, `error`, an unwanted body or `abort`. */
interface Listener {
  /** Says whether the body is wanted. */
  head(status: number, headers: readonly Header[]): boolean;
  data(bytes: Uint8Array): void;
  end(): void;
  error(error: unknown): void;
}

/** How one running request is steered. */
export interface Exchange {
  pause(): void;
  resume(): void;
  /** Closes the connection, or the one in the making, or stops waiting for one. */
  abort(): void;
}

/** An unwanted body no longer than this (bytes) and no later than this (milliseconds) is read, since a connection costs more. */
const REST = { bytes: 64 * 1024, timeoutMs: 1000 };

/**
 * One request and its response over a pool's connection. Pausing stops reading from the socket, so TCP pushes back.
 * May be paused at any time: before the connection stands, before the head (which still comes), on the last chunk.
 */
export const exchange = (pool: Pool, request: Dispatcher.DispatchOptions, listener: Listener): Exchange => {
  let controller: Dispatcher.DispatchController | undefined;
  let connection: Connection | undefined;
  let paused = false;
  let over = false;

  const tellLast = (event: () => void) => {
    if (over) return;
    over = true;
    event();
  };

  const handler = (giveBack: () => void): Dispatcher.DispatchHandler => {
    let rest: NodeJS.Timeout | undefined;

    const end = (tell: () => void) => {
      clearTimeout(rest);
      giveBack();
      tellLast(tell);
    };

    return {
      onRequestStart: (started) => {
        // Thrown here, undici drops the request and keeps the connection; aborting would close it.
        if (over) throw new Error('nobody waits for the request any more');
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
        rest = setTimeout(() => started.abort(new Error('the rest takes too long')), REST.timeoutMs).unref();
      },
      onResponseData: (_, bytes) => {
        if (!over) listener.data(bytes);
      },
      onResponseEnd: () => {
        // undici takes a reset for the end of a body that has neither length nor chunks; it is no more of an end than any other reset.
        const broken = connection?.broken?.();
        end(broken ? () => listener.error(broken) : listener.end);
      },
      onResponseError: (_, error) => end(() => listener.error(error)),
    };
  };

  const withdraw = pool.take((taken, giveBack) => {
    connection = taken;
    // undici's parser cannot be entered while it runs, and a failed or redirected response starts the next request from inside it.
    queueMicrotask(() => {
      if (over) return giveBack();
      try {
        taken.dispatcher.dispatch(request, handler(giveBack));
      } catch (error) {
        giveBack();
        tellLast(() => listener.error(error));
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
      // Not at once, for the same reason: another response's chunk may be what opened the valve.
      queueMicrotask(() => {
        if (!paused && !over) controller?.resume();
      });
    },
    abort: () => {
      if (over) return;
      over = true;
      withdraw();
      if (controller) controller.abort(new Error('nobody reads on'));
      else connection?.hangUp();
    },
  };
};

/** Names and values in order, as spelled. HTTP/1.1 gives buffers, name and value by turns. */
const headersOf = (raw: Dispatcher.DispatchController['rawHeaders']): readonly Header[] => {
  if (!Array.isArray(raw)) return [];
  const text = raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  return Array.from({ length: text.length / 2 }, (_, index) => [text[2 * index] ?? '', text[2 * index + 1] ?? '']);
};
