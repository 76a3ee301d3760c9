import type { TLSSocket } from 'node:tls';

/** Tells the end of TLS (its alert `close_notify`, RFC 8446 section 6.1) from the end of TCP. */
interface CloseNotify {
  /** Call after each read. */
  noteRead(): void;
  /** Whether the end that was read is the one of TLS. */
  wasReceived(): boolean;
}

/** The TCP connection below a TLS socket. Node has no public name for it. */
interface Encrypted {
  readonly _handle?: { readonly _parent?: { readonly bytesRead?: number } } | null;
}

/**
 * Node reports both ends alike, but the alert is data of the connection below: it arrives with the
 * last content, in the same turn of the event loop, or as more bytes after it. An end of TCP alone,
 * which anybody on the way can make, is a later event without bytes. Without knowledge of the
 * connection below, an end counts as that of TCP.
 */
export const closeNotify = (socket: TLSSocket): CloseNotify => {
  const encrypted = () => (socket as unknown as Encrypted)._handle?._parent?.bytesRead ?? 0;
  let bytes = 0;
  let turn: NodeJS.Immediate | undefined;
  return {
    noteRead: () => {
      bytes = encrypted();
      turn ??= setImmediate(() => {
        turn = undefined;
      });
    },
    wasReceived: () => bytes > 0 && (turn !== undefined || encrypted() > bytes),
  };
};
