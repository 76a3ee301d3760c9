import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createReading, type Reading } from './reading.ts';

/** Milliseconds that a client has for reading our last answer while we still take what it sends. */
const LINGER = 5_000;
/** Requests that are begun while the one before them is answered. With that one it makes five at a source: a browser would ask for six. */
const AHEAD = 4;
/** Bytes of requests that wait for their turn, above which no more are read. */
const WAITING = 16 * 1024;

/** How one request is answered. */
export interface Exchange {
  /** May be called once, before `answer`: begins what can be done without writing to the client, if there is room for it. */
  begin?(): void;
  /** The turn of the request has come. */
  answer(): void;
  /** Called instead of `answer` if the turn does not come: ends what was begun. */
  leave?(): void;
}

/** The turns of one connection. */
export interface Connection extends Pick<Reading, 'excuse'> {
  /** Answers a request of so many bytes once those before it have been answered; with `last`, no other is answered after it. */
  take(res: ServerResponse, exchange: Exchange, size: number, last: boolean): void;
  /** Whether a request is being answered just now. */
  answering(): boolean;
  /** Whether the next request would be answered at once. */
  idle(): boolean;
  /** Says something once the requests so far have been answered, and ends the connection; unless its end is settled already. */
  end(words: () => string): void;
  /** Ends the connection after the request that is being answered: those that wait are not answered. */
  stop(): void;
}

interface Turn extends Exchange {
  readonly size: number;
}

/**
 * Answers the requests of a connection one at a time, in their order (RFC 9112 section 9.3.2). The next few of them are begun meanwhile, so
 * that a source's delay is not paid for each; nothing of them is written before their turn, and what fails one response never comes over
 * another. If many requests wait, reading stops. After the last answer whatever else the client sends is taken and thrown
 * away for a while: a connection that is closed with input unread is reset, and the answer may be lost with it (RFC 9112 section 9.6).
 * At most so many `requests` are answered, if not 0. `rests` is told whether the connection is between two of them: all that was
 * written has been handed to the kernel, and it may be closed.
 */
export const createConnection = (socket: Socket, requests: number, rests: (resting: boolean) => void): Connection => {
  const reading = createReading(socket);
  let waiting: Turn[] = [];
  let size = 0;
  let answering = false;
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
    for (const turn of turns) turn.leave?.();
  };
  const proceed = () => {
    // The client has left, or it was told that this is the end.
    if (!socket.writable) abandon();
    const turn = waiting.shift();
    answering = turn !== undefined;
    rests(!answering && socket.writable);
    if (!turn) return;
    size -= turn.size;
    turn.answer();
    waiting[AHEAD - 1]?.begin?.();
    balance();
  };
  const enqueue = (turn: Turn) => {
    waiting.push(turn);
    size += turn.size;
    if (!answering) proceed();
    else if (waiting.length <= AHEAD) turn.begin?.();
    balance();
  };
  // Node would parse what comes, and keep each request that it finds until the connection is closed.
  const ignore = () =>
    process.nextTick(() => {
      socket.removeAllListeners('data');
      socket.on('data', () => {});
    });

  // How Node ends a connection after its last response.
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
    enqueue({ size: 0, answer });
  };

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
      const answer = () => {
        exchange.answer();
        // Last of its listeners: the next one begins when this one has left nothing behind.
        res.once('close', proceed);
      };
      enqueue({ ...exchange, size: bytes, answer });
    },
    answering: () => answering,
    idle: () => !answering && !over,
    end: (words) => {
      ignore();
      if (!over) finish(words);
    },
    stop: () => {
      abandon();
      finish();
    },
  };
};
