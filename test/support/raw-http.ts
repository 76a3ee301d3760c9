import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

/** A response in the bytes of a connection. */
interface RawResponse {
  readonly status: number;
  readonly version: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const headersOf = (lines: readonly string[]): ReadonlyMap<string, string> =>
  new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );

/** The text of a chunked body, and the rest after it; `undefined` if it is incomplete. */
const unchunk = (text: string): readonly [body: string, rest: string] | undefined => {
  let body = '';
  for (let rest = text; ; ) {
    const end = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (end < 0 || Number.isNaN(size) || rest.length < end + size + 4) return undefined;
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + size + 4);
    if (size === 0) return [body, rest];
  }
};

/**
 * The final responses in the bytes of a connection, without interim ones. Anything that is not a
 * response counts as one of status 0.
 */
export const responsesIn = (received: string, methods: readonly string[], ended: boolean): readonly RawResponse[] => {
  const found: RawResponse[] = [];
  for (let text = received; text !== ''; ) {
    const end = text.indexOf('\r\n\r\n');
    const [first = '', ...lines] = text.slice(0, Math.max(0, end)).split('\r\n');
    const [, version = '', code] = /^HTTP\/(\d\.\d) (\d{3}) /.exec(first) ?? [];
    if (code === undefined)
      return ended || end >= 0 ? [...found, { status: 0, version, headers: new Map(), body: text }] : found;
    const rest = text.slice(end + 4);
    const headers = headersOf(lines);
    const status = Number(code);
    const length = Number(headers.get('content-length') ?? Number.NaN);
    const bodiless = methods[found.length] === 'HEAD' || status === 204 || status === 304 || status < 200;
    const whole: readonly [string, string] | undefined = bodiless
      ? ['', rest]
      : headers.get('transfer-encoding') === 'chunked'
        ? unchunk(rest)
        : Number.isNaN(length)
          ? ended
            ? [rest, '']
            : undefined
          : rest.length >= length
            ? [rest.slice(0, length), rest.slice(length)]
            : undefined;
    if (whole === undefined) return found;
    if (status >= 200) found.push({ status, version, headers, body: whole[0] });
    text = whole[1];
  }
  return found;
};

/** A client on a bare socket. `ended` resolves to how the server ended the connection. */
export interface RawClient {
  readonly socket: Socket;
  received(): string;
  readonly ended: Promise<'end' | 'reset'>;
  /** Resolves once the condition holds for the received text, or for the end of the connection. */
  until(condition: (received: string, ended: boolean) => boolean): Promise<void>;
  /** Writes pieces so that each can be a separate packet. */
  send(...pieces: readonly string[]): Promise<void>;
}

/** Connects; bytes are those of latin1 texts. */
export const dial = (
  port: number,
  options: { readonly allowHalfOpen?: boolean; readonly localAddress?: string } = {},
): RawClient => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, ...options });
  let received = '';
  let over = false;
  const waiting = new Set<() => void>();
  const look = () => {
    for (const one of waiting) one();
  };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    look();
  });
  const ended = new Promise<'end' | 'reset'>((resolve) => {
    const end = (how: 'end' | 'reset') => {
      over = true;
      resolve(how);
      look();
    };
    socket.on('end', () => end('end'));
    socket.on('error', () => end('reset'));
  });
  return {
    socket,
    received: () => received,
    ended,
    until: (condition) =>
      new Promise((resolve) => {
        const check = () => {
          if (!condition(received, over)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    send: async (...pieces) => {
      for (const piece of pieces) {
        socket.write(piece, 'latin1');
        await setImmediate();
      }
    },
  };
};
