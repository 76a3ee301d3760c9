import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** The targets of a connection's requests. */
export interface RawTargets {
  /** Gives the next request of the connection the target that the client sent, as Latin-1. */
  restore(req: IncomingMessage): void;
}

/** Bytes beyond ASCII, as Latin-1. */
const RAW = /[\x80-\xff]/g;

/**
 * Clients send names as they are, and Varnish and nginx pass them on. Node's parser refuses a
 * target with bytes beyond ASCII. So it is given each of them percent-encoded, and the request gets
 * its target back. To be called for each `connection` event, after Node's own listener.
 */
export const escapeRawTargets = (socket: Socket): RawTargets => {
  const lines = createRequestLines();
  let count = 0;
  const listeners = socket.listeners('data') as ((bytes: Buffer) => void)[];
  // The one before it is ours, if Node let go of the socket and took it again.
  const parse = listeners.at(-1);
  socket.on('data', (bytes: Buffer) => parse?.call(socket, lines.escape(bytes)));
  for (const listener of listeners) socket.off('data', listener);
  return {
    restore: (req) => {
      const [, target] = lines.take(count)?.split(' ') ?? [];
      count += 1;
      // Never the target of another request, whatever the lines were taken for.
      if (target?.replace(RAW, encodeByte) === req.url) req.url = target;
    },
  };
};

/**
 * The request lines in what a client sends: the first line, and each first line after an empty one,
 * for a request has no content. If one has, nothing is answered after it.
 */
const createRequestLines = () => {
  /** Those with raw bytes, by the number of the request, until they are taken. */
  const raw = new Map<number, string>();
  let count = 0;
  let inRequestLine = true;
  let line = '';

  const endLine = () => {
    const isEmpty = line === '' || line === '\r';
    if (inRequestLine && !isEmpty) {
      if (line.search(RAW) >= 0) raw.set(count, line);
      count += 1;
    }
    inRequestLine = isEmpty;
    line = '';
  };

  return {
    escape: (bytes: Buffer): Buffer => {
      const parts = bytes.toString('latin1').split('\n');
      let escaped = false;
      const text = parts.map((part, index) => {
        // Of other lines, two characters tell whether they are empty.
        if (inRequestLine || line.length < 2) line += part;
        const isEscaped = inRequestLine && part.search(RAW) >= 0;
        escaped ||= isEscaped;
        if (index < parts.length - 1) endLine();
        return isEscaped ? part.replace(RAW, encodeByte) : part;
      });
      return escaped ? Buffer.from(text.join('\n'), 'latin1') : bytes;
    },
    take: (number: number): string | undefined => {
      const line = raw.get(number);
      raw.delete(number);
      return line;
    },
  };
};

/** One byte percent-encoded. */
export const encodeByte = (latin1: string): string => `%${latin1.charCodeAt(0).toString(16).toUpperCase()}`;
