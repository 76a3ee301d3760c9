import type { Socket } from 'node:net';

/** Whether the requests of a connection are read. */
export interface Reading {
  /** Stops reading: what the client sends waits in the kernel, and then with the client. */
  stop(): void;
  goOn(): void;
  /** A request came. */
  came(): void;
  /**
   * Returns false if the request that is on its way is late by the client's own fault. If reading was stopped, the client is given the same
   * time again: `late` is called if no request has come by then.
   */
  excuse(late: () => void, timeoutMs: number): boolean;
}

/**
 * While reading is stopped, a client that leaves is noticed when something is written to it. Node itself would read on after each response
 * and each time the client has taken something.
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
