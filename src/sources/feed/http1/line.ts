import type { Dial } from './dial.ts';
import { lentReads } from './reads.ts';

/** The user of a line. Nothing is called after `closed` or `Line.close`. */
interface User {
  /** Receives what was read, lent for the call. */
  bytes(bytes: Buffer): void;
  /** Whether more bytes than these, which wait, may come before `bytes` must be called. */
  gathers(waiting: number): boolean;
  /** Whether no response is expected. */
  rests(): boolean;
  /** The connection has ended: by an error, or by the peer, which may have said so itself. */
  closed(how: { readonly error: Error } | { readonly ownEnd: boolean }): void;
}

/** One connection to a server. */
export interface Line {
  /** Sends a request, once the connection is established. */
  write(text: string): void;
  /** Stops reading, so that TCP slows the peer. */
  pause(): void;
  resume(): void;
  /** Whether an open connection keeps the process alive. */
  holdProcess(holds: boolean): void;
  close(): void;
}

/** Opens a connection that reads into lent memory. */
export const openLine = (dial: Dial, user: User): Line => {
  let paused = false;
  let over = false;
  let isReady = false;
  let unsent: string | undefined;

  const reads = lentReads({
    take: (bytes) => {
      if (!over) user.bytes(bytes);
    },
    gathers: (waiting) => socket !== undefined && isSecure && user.gathers(waiting),
    wants: () => !paused && !over,
    rests: user.rests,
    again: () => {
      if (!over && !paused) socket.resume();
    },
  });

  /** Ends TLS before the connection, so that the server can tell that from a cut (RFC 9112 section 9.8). */
  const leave = () => {
    if (isReady && isSecure) socket.end(() => socket.destroy());
    else socket.destroy();
  };

  const end = (how: Parameters<User['closed']>[0]) => {
    if (over) return;
    // What was gathered came before.
    reads.flush();
    if (over) return;
    over = true;
    leave();
    user.closed(how);
  };

  const { socket, ownEnd } = dial(reads.onread, () => {
    isReady = true;
    if (unsent !== undefined && !over) socket.write(unsent, 'latin1');
    unsent = undefined;
    if (paused) socket.pause();
  });
  const isSecure = 'encrypted' in socket;
  socket.on('error', (error) => end({ error }));
  socket.on('end', () => {
    // An end within the handshake is followed by its error.
    if (isReady) end({ ownEnd: ownEnd() });
  });
  socket.on('close', () => {
    end({ ownEnd: false });
    reads.release();
  });

  return {
    write: (text) => {
      if (isReady) socket.write(text, 'latin1');
      else unsent = text;
    },
    pause: () => {
      paused = true;
      if (isReady) socket.pause();
    },
    resume: () => {
      if (!paused) return;
      paused = false;
      if (isReady) socket.resume();
    },
    holdProcess: (holds) => {
      if (holds) socket.ref();
      else socket.unref();
    },
    close: () => {
      over = true;
      leave();
    },
  };
};
