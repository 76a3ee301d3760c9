import type { Socket } from 'node:net';
import { createHeads } from './raw-targets.ts';

/** Controls what Node's parser gets of the input of a connection. */
export interface Reading {
  /** Stops: the rest of the last read is kept, further input waits in the kernel and at the client. */
  stop(): void;
  goOn(): void;
  /** Discards all further input. */
  ignore(): void;
  /** Puts bytes before those that were not parsed yet. */
  putBack(bytes: Buffer): void;
  /** To be called for each event `connection`, after Node's own listener: it has a new parser. */
  takeOver(): void;
  /** Ends all of this. Returns the bytes that were not parsed. */
  release(): Buffer;
}

const NOTHING = Buffer.alloc(0);

/**
 * Hands input to Node's parser head by head. The parser would make requests of a whole read at
 * once, possibly thousands; bytes that wait cost only themselves.
 *
 * While reading is stopped, the departure of a client is noticed at the next write to it. Node
 * itself would resume reading after each response, and each time the client has read something.
 */
export const createReading = (socket: Socket): Reading => {
  const resume = socket.resume;
  const firstHead = createHeads();
  let parse: ((bytes: Buffer) => void) | undefined;
  let unparsed: Buffer = NOTHING;
  let stopped = false;
  let ignored = false;
  let parsing = false;
  socket.resume = () => (stopped ? socket : resume.call(socket));

  const parseMore = () => {
    // The answer to a request may let the next one be parsed: it has its turn in this loop.
    if (parsing) return;
    parsing = true;
    while (!stopped && unparsed.length > 0) {
      const [head, rest] = firstHead(unparsed);
      unparsed = rest.length > 0 ? rest : NOTHING;
      parse?.call(socket, head);
    }
    parsing = false;
  };
  const goOn = () => {
    if (!stopped) return;
    stopped = false;
    parseMore();
    socket.resume();
  };
  const takeOver = () => {
    parse = socket.listeners('data').at(-1) as typeof parse;
    if (parse) socket.off('data', parse);
  };

  const read = (bytes: Buffer) => {
    if (ignored) return;
    unparsed = unparsed.length > 0 ? Buffer.concat([unparsed, bytes]) : bytes;
    parseMore();
  };

  takeOver();
  socket.on('data', read);

  return {
    stop: () => {
      if (ignored) return;
      stopped = true;
      socket.pause();
    },
    goOn,
    ignore: () => {
      ignored = true;
      unparsed = NOTHING;
      goOn();
    },
    putBack: (bytes) => {
      unparsed = Buffer.concat([bytes, unparsed]);
    },
    takeOver,
    release: () => {
      const rest = unparsed;
      unparsed = NOTHING;
      socket.off('data', read);
      socket.pause();
      return rest;
    },
  };
};
