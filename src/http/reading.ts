import type { Socket } from 'node:net';

/** Controls whether the requests of a connection are read. */
export interface Reading {
  /** Stops reading: further input waits in the kernel, and then at the client. */
  stop(): void;
  goOn(): void;
  /** Call it when a request has arrived. */
  came(): void;
  /**
   * Returns false if the client itself caused the delay of the arriving request. If reading was
   * stopped, the client gets the same time again: `late` is called if no request has arrived by
   * then.
   */
  excuse(late: () => void, timeoutMs: number): boolean;
}

/**
 * While reading is stopped, the departure of a client is noticed at the next write to it. Node
 * itself would resume reading after each response, and each time the client has read something.
 */
export const createReading = (socket: Socket): Reading => {
  const resume = socket.resume;
  let stopped = false;
  let heldUp = false;
  let requests = 0;
  socket.resume = () => (stopped ? socket : resume.call(socket));

  return {
    stop: () => {
      stopped = true;
      heldUp = true;
      socket.pause();
    },
    goOn: () => {
      if (!stopped) return;
      stopped = false;
      socket.resume();
    },
    came: () => {
      requests += 1;
      heldUp = stopped;
    },
    excuse: (late, timeoutMs) => {
      if (!heldUp) return false;
      heldUp = stopped;
      const before = requests;
      const again = setTimeout(() => {
        if (requests === before) late();
      }, timeoutMs);
      socket.once('close', () => clearTimeout(again));
      return true;
    },
  };
};
