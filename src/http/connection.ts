import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Milliseconds that a client has for reading our last answer while we still take what it sends. */
const LINGER = 5_000;
/** Requests that may wait behind the one that is being answered. apt sends ten ahead (`Acquire::http::Pipeline-Depth`). */
const AHEAD = 16;

/** The turns of one connection. */
export interface Connection {
  /** Begins to answer a request once those before it have been answered; with `last`, no other is answered after it. */
  take(res: ServerResponse, answer: () => void, last: boolean): void;
  /** Whether a request is being answered just now. */
  answering(): boolean;
  /** Says something once the requests so far have been answered, and ends the connection; unless its end is settled already. */
  end(words: () => string): void;
  /** Ends the connection after the request that is being answered: those that wait are not begun. */
  stop(): void;
}

/**
 * Answers the requests of a connection one at a time, in their order (RFC 9112 section 9.3.2). Pipelined ones cost nothing before their
 * turn, and what fails one response never comes over another. After the last answer whatever else the client sends is taken and thrown
 * away for a while: a connection that is closed with input unread is reset, and the answer may be lost with it (RFC 9112 section 9.6).
 * At most so many `requests` are answered, if not 0. `rests` is told whether the connection is between two of them: all that was
 * written has been handed to the kernel, and it may be closed.
 */
export const createConnection = (socket: Socket, requests: number, rests: (resting: boolean) => void): Connection => {
  const waiting: (() => void)[] = [];
  let answering = false;
  let taken = 0;
  let over = false;

  const proceed = () => {
    // Not writable: the client has left, or it was told that this is the end.
    const turn = socket.writable ? waiting.shift() : undefined;
    answering = turn !== undefined;
    rests(!answering && socket.writable);
    turn?.();
  };
  const enqueue = (turn: () => void) => {
    waiting.push(turn);
    if (!answering) proceed();
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
    enqueue(() => {
      if (words) socket.write(words());
      socket.destroySoon();
    });
  };

  return {
    take: (res, answer, last) => {
      if (over) {
        ignore();
        return;
      }
      taken += 1;
      over = last || !res.shouldKeepAlive || taken === requests || waiting.length === AHEAD - 1;
      if (over) res.shouldKeepAlive = false;
      enqueue(() => {
        answer();
        // Last of its listeners: the next one begins when this one has left nothing behind.
        res.once('close', proceed);
      });
    },
    answering: () => answering,
    end: (words) => {
      ignore();
      if (!over) finish(words);
    },
    stop: () => {
      waiting.length = 0;
      finish();
    },
  };
};
