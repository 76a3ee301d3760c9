import type { Socket } from 'node:net';

const [LF, CR, HASH] = [0x0a, 0x0d, 0x23];

const DIGITS = Buffer.from('0123456789ABCDEF');

/** One byte percent-encoded. */
export const encodeByte = (latin1: string): string => `%${latin1.charCodeAt(0).toString(16).toUpperCase()}`;

/**
 * Clients send names as they are, and Varnish and nginx pass them on. Node's parser refuses a
 * target with bytes beyond ASCII. So it is given `#C3` for the byte C3, and `#23` for a `#`: it
 * takes them for a fragment. To be called for each `connection` event, after Node's own listener.
 *
 * Returns what to call if Node let go of the socket and took it again. The bytes that were handed
 * back to it for that, in one piece, were escaped already.
 */
export const escapeRawTargets = (socket: Socket): (() => void) => {
  const escapeNext = createEscaping();
  let handedBack = false;
  let parse: ((bytes: Buffer) => void) | undefined;
  const takeOver = () => {
    parse = socket.listeners('data').at(-1) as typeof parse;
    if (parse) socket.off('data', parse);
  };
  takeOver();
  socket.on('data', (bytes: Buffer) => {
    const escaped = handedBack ? bytes : escapeNext(bytes);
    handedBack = false;
    parse?.call(socket, escaped);
  });
  return () => {
    takeOver();
    handedBack = true;
  };
};

/** A target that was escaped for the parser, as the client sent it: as Latin-1. */
export const restoreTarget = (escaped: string): string =>
  escaped.includes('#')
    ? escaped.replace(/#(..)/g, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)))
    : escaped;

/**
 * Escapes the request lines in what a client sends: the first line, and each first line after an
 * empty one, for a request has no content. If one has, nothing is answered after it.
 */
const createEscaping = () => {
  let inRequestLine = true;
  let isEmpty = true;

  return (bytes: Buffer): Buffer => {
    let escaped: Buffer | undefined;
    let size = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === LF) {
        inRequestLine = isEmpty;
        isEmpty = true;
      } else if (byte !== CR) isEmpty = false;
      if (inRequestLine && (byte > 0x7f || byte === HASH)) {
        if (!escaped) {
          escaped = Buffer.alloc(3 * bytes.length);
          size = bytes.copy(escaped, 0, 0, at);
        }
        for (const one of [HASH, DIGITS[byte >> 4], DIGITS[byte & 15]]) escaped[size++] = one ?? 0;
      } else if (escaped) escaped[size++] = byte;
    }
    return escaped?.subarray(0, size) ?? bytes;
  };
};
