import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createReading, type Reading } from './reading.ts';

/** Milliseconds that a client has to read the last response. Until then its input is still read. */
const LINGER = 5_000;
/**
 * Requests that are started while the one before them is answered. Together that makes five at a
 * source; a browser would open six.
 */
const AHEAD = 4;
/** Bytes of waiting requests above which no more are read. */
const WAITING = 16 * 1024;

/** How one request is answered. */
export interface Exchange {
  /**
   * May be called once, before `answer`. Starts the work that needs no writing to the client, if
   * there is a free slot.
   */
  begin?(): void;
  /** Called when the turn of the request has come. */
  answer(): void;
  /** Called instead of `answer` if the turn does not come: ends the work that was started. */
  leave?(): void;
}

/** The turns of one connection. */
export interface Connection extends Pick<Reading, 'excuse'> {
  /**
   * Answers a request of `size` bytes after those before it. With `last`, no other is answered
   * after it.
   */
  take(res: ServerResponse, exchange: Exchange, size: number, last: boolean): void;
  /** Whether the next request would be answered at once. */
  idle(): boolean;
  /**
   * Writes `words()` after the pending requests are answered, and ends the connection; unless its
   * end is settled already.
   */
  end(words: () => string): void;
  /**
   * Ends the connection after the request that is being answered. Waiting requests are not
   * answered.
   */
  stop(): void;
  /**
   * Closes the connection now. Resets it if a response is not complete: a body that ends with the
   * connection would look complete after a plain close. But a reset would discard the part of a
   * complete response that the client has not read yet.
   */
  cut(): void;
}

interface Turn {
  readonly exchange: Exchange;
  readonly size: number;
  /** Absent for the end of the connection. */
  readonly res?: ServerResponse;
}

/**
 * Answers the requests of a connection one at a time, in their order (RFC 9112 section 9.3.2).
 *
 * The next few requests are started in the meantime, so that a source's delay is not paid for each.
 * Nothing of them is written before their turn, and an error affects its own response only. If many
 * requests wait, reading stops.
 *
 * After the last response, further input is read and discarded for a while. A connection that is
 * closed with unread input is reset, and the response may be lost with it (RFC 9112 section 9.6).
 *
 * At most `requests` are answered; 0 means unlimited. `rests` is called with true when the
 * connection is between two requests: all output was handed to the kernel, and it may be closed.
 */
export const createConnection = (socket: Socket, requests: number, rests: (resting: boolean) => void): Connection => {
  const reading = createReading(socket);
  let waiting: Turn[] = [];
  let size = 0;
  let current: Turn | undefined;
  let taken = 0;
  let over = false;

  const balance = () => {
    if (!over && size > WAITING) reading.stop();
    else reading.goOn();
  };
  const abandon = () => {
    const turns = waiting;
    waiting = [];
    size = 0;
    for (const { exchange } of turns) exchange.leave?.();
  };
  const proceed = () => {
    // The client has left, or the connection was declared ended.
    if (!socket.writable) abandon();
    current = waiting.shift();
    rests(!current && socket.writable);
    if (!current) return;
    const { exchange, res } = current;
    size -= current.size;
    exchange.answer();
    // The last of the listeners: the next request begins after this one has released everything.
    res?.on('close', proceed);
    waiting[AHEAD - 1]?.exchange.begin?.();
    balance();
  };
  const enqueue = (turn: Turn) => {
    waiting.push(turn);
    size += turn.size;
    if (!current) proceed();
    else if (waiting.length <= AHEAD) turn.exchange.begin?.();
    balance();
  };
  // Node would parse further input, and keep each request in it until the connection is closed.
  const ignore = () =>
    process.nextTick(() => {
      socket.removeAllListeners('data');
      socket.on('data', () => {});
    });

  // Node calls this to end a connection after its last response.
  socket.destroySoon = () => {
    socket.end();
    const cut = setTimeout(() => socket.destroy(), LINGER);
    socket.once('close', () => clearTimeout(cut));
  };

  const finish = (words?: () => string) => {
    over = true;
    const answer = () => {
      if (words) socket.write(words());
      socket.destroySoon();
    };
    enqueue({ exchange: { answer }, size: 0 });
  };

  // Node would end a half-closed connection as soon as the written data is out, also mid-body. A body
  // without a length would then look complete.
  socket.prependListener('end', () => {
    if (current?.res && !current.res.writableEnded) socket.resetAndDestroy();
  });

  return {
    excuse: reading.excuse,
    take: (res, exchange, bytes, last) => {
      if (over) {
        ignore();
        return;
      }
      taken += 1;
      over = last || !res.shouldKeepAlive || taken === requests;
      if (over) res.shouldKeepAlive = false;
      reading.came();
      enqueue({ exchange, size: bytes, res });
    },
    idle: () => !current && !over,
    end: (words) => {
      ignore();
      if (!over) finish(words);
    },
    stop: () => {
      abandon();
      finish();
    },
    cut: () => (current?.res ? socket.resetAndDestroy() : socket.destroy()),
  };
};
