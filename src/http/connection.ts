import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createReading, type Reading } from './reading.ts';
import { reset } from './reset.ts';

/** Milliseconds that a client has to read the last response. Until then its input is still read. */
const LINGER = 5_000;
/**
 * Milliseconds in which the first request of a connection is awaited that was accepted just before
 * the end: its client is sending it.
 */
const FIRST_REQUEST = 1_000;
/**
 * Requests that are started while the one before them is answered. Together that makes five at a
 * source; a browser would open six.
 */
const AHEAD = 4;

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
  /** Whether the client takes less than there is: its source waits for it. */
  paused?(): boolean;
}

/** The turns of one connection. */
export interface Connection extends Pick<Reading, 'putBack' | 'takeOver'> {
  /** Answers a request after those before it. With `last`, no other is answered after it. */
  take(res: ServerResponse, exchange: Exchange, last: boolean): void;
  /** Whether the next request would be answered at once. */
  idle(): boolean;
  /** Whether the request that is being answered waits for its client. */
  paused(): boolean;
  /**
   * Writes `words()` after the pending requests are answered, and ends the connection; unless its
   * end is settled already.
   */
  end(words: () => string): void;
  /**
   * Leaves the connection, which must be idle, to a tunnel, whose turn never ends. Returns the bytes
   * that follow the request.
   */
  release(): Buffer;
  /**
   * Ends the connection after the request that is being answered; a new one after its first
   * request, if that comes soon. Waiting requests are not answered.
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
  /** Absent for the end of the connection. */
  readonly res?: ServerResponse;
}

/**
 * Answers the requests of a connection one at a time, in their order (RFC 9112 section 9.3.2).
 *
 * The next few requests are started in the meantime, so that a source's delay is not paid for each.
 * Nothing of them is written before their turn, and an error affects its own response only. If more
 * requests wait, reading stops: those of the last read wait as bytes.
 *
 * After the last response, further input is read and discarded for a while. A connection that is
 * closed with unread input is reset, and the response may be lost with it (RFC 9112 section 9.6).
 *
 * At most `requests` are answered; 0 means unlimited. `rests` is called with true when no request is
 * being answered: all output was handed to the kernel, and the connection may be closed.
 */
export const createConnection = (socket: Socket, requests: number, rests: (resting: boolean) => void): Connection => {
  const reading = createReading(socket);
  let waiting: Turn[] = [];
  let current: Turn | undefined;
  let taken = 0;
  let stopping = false;
  let over = false;

  const balance = () => {
    if (waiting.length > AHEAD) reading.stop();
    else reading.goOn();
  };
  const abandon = () => {
    const turns = waiting;
    waiting = [];
    for (const { exchange } of turns) exchange.leave?.();
  };
  const proceed = () => {
    // The client has left, or the connection was declared ended.
    if (!socket.writable) abandon();
    current = waiting.shift();
    rests(!current && socket.writable);
    if (!current) return;
    const { exchange, res } = current;
    exchange.answer();
    // The last of the listeners: the next request begins after this one has released everything.
    res?.on('close', proceed);
    waiting[AHEAD - 1]?.exchange.begin?.();
    balance();
  };
  const enqueue = (turn: Turn) => {
    waiting.push(turn);
    if (!current) proceed();
    else if (waiting.length <= AHEAD) turn.exchange.begin?.();
    balance();
  };
  // Node calls this to end a connection after its last response.
  socket.destroySoon = () => {
    // Also called if the connection was reset.
    socket.end(() => rests(!socket.destroyed));
    const cut = setTimeout(() => socket.destroy(), LINGER);
    socket.once('close', () => clearTimeout(cut));
  };

  const finish = (words?: () => string) => {
    over = true;
    reading.ignore();
    const answer = () => {
      if (words) socket.write(words());
      socket.destroySoon();
    };
    enqueue({ exchange: { answer } });
  };

  // Node would end a half-closed connection as soon as the written data is out, also mid-body. A body
  // without a length would then look complete.
  socket.prependListener('end', () => {
    if (current?.res && !current.res.writableEnded) reset(socket);
  });

  return {
    putBack: reading.putBack,
    takeOver: reading.takeOver,
    take: (res, exchange, last) => {
      if (over) return;
      taken += 1;
      over = last || stopping || !res.shouldKeepAlive || taken === requests;
      if (over) {
        res.shouldKeepAlive = false;
        reading.ignore();
      }
      enqueue({ exchange, res });
    },
    idle: () => !current && !over,
    paused: () => current?.exchange.paused?.() ?? false,
    end: (words) => {
      if (!over) finish(words);
    },
    release: () => {
      over = true;
      current = { exchange: { answer: () => {} } };
      rests(false);
      return reading.release();
    },
    stop: () => {
      abandon();
      if (taken > 0 || over) return finish();
      stopping = true;
      const late = setTimeout(() => {
        if (!over) finish();
      }, FIRST_REQUEST);
      socket.once('close', () => clearTimeout(late));
    },
    cut: () => (current?.res ? reset(socket) : socket.destroy()),
  };
};
