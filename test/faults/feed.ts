import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { type Fault, PIECE, type Place } from './fault.ts';
import { within } from './within.ts';

/**
 * How a response marks the end of its body: by its length, by chunks, or by the end of the
 * connection.
 */
export type Framing = 'length' | 'chunked' | 'close';

/** One file of a feed, with the faults of its responses. */
export interface Resource {
  readonly bytes: Uint8Array;
  readonly framing: Framing;
  /** The first response has the first fault, and so on; further responses are good. */
  readonly faults: readonly Fault[];
  /** Every response after those. */
  readonly forever?: Fault;
}

/** The faults that really occurred. */
export interface Ledger {
  note(path: string, fault: Fault, where: Place['where'] | 'any'): void;
  /** Bytes of a body that the feed sent. */
  sent?(path: string, bytes: number): void;
}

export interface FaultyFeed {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  readonly resources: Map<string, Resource>;
  /** Open connections. */
  readonly open: ReadonlySet<Socket>;
  /** Presents another certificate to new connections. */
  present(tls: SecureContextOptions): void;
  close(): Promise<void>;
}

/** A connection. `socket` sends and receives; `raw` is TCP itself, to cut it below TLS. */
interface Wire {
  readonly socket: Duplex;
  readonly raw: Socket;
  readonly sent?: (bytes: number) => void;
}

interface Ask {
  readonly method: string;
  readonly from: number;
  /** The last requested byte; absent for an open end. */
  readonly last: number | undefined;
  readonly ifRange: string | undefined;
}

/**
 * An HTTP server on bare sockets that plays scripted responses, right or wrong. Uses TLS if it has
 * a certificate.
 */
export const startFaultyFeed = async (ledger: Ledger, tls?: SecureContextOptions): Promise<FaultyFeed> => {
  const resources = new Map<string, Resource>();
  const asked = new Map<string, number>();
  const open = new Set<Socket>();
  let secureContext = tls && createSecureContext(tls);

  const respond = async (wire: Wire, path: string, ask: Ask) => {
    const resource = resources.get(path);
    if (!resource) return say(wire, 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    const turn = asked.get(path) ?? 0;
    const next = resource.faults[turn] ?? resource.forever;
    // A fault of a body waits for a response that has one.
    const fault = ask.method === 'HEAD' && !(next && OF_HEADS.has(next.kind)) ? undefined : next;
    if (fault === next) asked.set(path, turn + 1);
    const note = (where: Place['where'] | 'any' = 'any') => fault && ledger.note(path, fault, where);
    const sent = (bytes: number) => ledger.sent?.(path, bytes);
    return play({ ...wire, sent }, path, resource, ask, fault, note);
  };

  // A failed test leaves it open, but it must not keep the process alive.
  const server = createServer({ noDelay: true }, (raw) => {
    open.add(raw.unref());
    raw.on('close', () => open.delete(raw)).on('error', () => {});
    const socket = secureContext ? new TLSSocket(raw, { isServer: true, secureContext }) : raw;
    socket.on('error', () => raw.destroy());
    let read = '';
    let busy = false;
    const look = () => {
      const end = read.indexOf('\r\n\r\n');
      if (busy || end < 0) return;
      const head = read.slice(0, end);
      read = read.slice(end + 4);
      busy = true;
      const [, method = '', path = ''] = /^(GET|HEAD) ([^ ?]+)/.exec(head) ?? [];
      const [, from = 0, last = ''] = /^range: bytes=(\d+)-(\d*)\r?$/im.exec(head) ?? [];
      const ifRange = /^if-range: (.*?)\r?$/im.exec(head)?.[1];
      void respond({ socket, raw }, path, {
        method,
        from: Number(from),
        last: last === '' ? undefined : Number(last),
        ifRange,
      }).then(() => {
        busy = false;
        look();
      });
    };
    socket.on('data', (bytes: Buffer) => {
      read += bytes.toString('latin1');
      look();
    });
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    port,
    resources,
    open,
    present: (other) => {
      secureContext = createSecureContext(other);
    },
    close: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      if (await within(60_000, () => [...open].every(({ closed }) => closed) && !server.listening)) return;
      const states = [...open].map(({ destroyed, closed, readyState }) => ({ destroyed, closed, readyState }));
      throw new Error(`the feed has connections that do not close: ${JSON.stringify(states)}`);
    },
  };
};

type Note = (where?: Place['where'] | 'any') => void;

/** Plays one response: good except for its fault. */
const play = async (wire: Wire, path: string, file: Resource, ask: Ask, fault: Fault | undefined, note: Note) => {
  const etag = `"${file.bytes.length}-${file.bytes[0] ?? 0}"`;
  const { length: size } = file.bytes;
  const isPart = ask.from > 0 || ask.last !== undefined;
  const given = isPart && (ask.ifRange === undefined || ask.ifRange === etag);
  const kind = fault?.kind;

  if (fault?.kind === 'status') {
    note();
    const again = fault.retryAfter === undefined ? '' : `Retry-After: ${fault.retryAfter}\r\n`;
    const sorry = ask.method === 'HEAD' ? '' : 'sorry\n';
    return say(wire, `HTTP/1.1 ${fault.status} No\r\n${again}Content-Length: 6\r\n\r\n${sorry}`);
  }
  if (kind === 'redirect loop') {
    note();
    return say(wire, `HTTP/1.1 302 Found\r\nLocation: ${path}?again\r\nContent-Length: 0\r\n\r\n`);
  }
  if (kind === 'not HTTP') {
    note('before the head');
    await say(wire, 'SSH-2.0-OpenSSH_9.2\r\n');
    return wire.socket.end();
  }
  if (kind === 'endless head') {
    note('in the head');
    await say(wire, 'HTTP/1.1 200 OK\r\n');
    while (await say(wire, `X-More: ${'more '.repeat(200)}\r\n`));
    return;
  }
  if (kind === 'gzip unasked' && !given) {
    note();
    const coded = gzipSync(file.bytes);
    await say(
      wire,
      `HTTP/1.1 200 OK\r\nETag: ${etag}\r\nContent-Encoding: gzip\r\nContent-Length: ${coded.length}\r\n\r\n`,
    );
    return say(wire, coded);
  }
  if (given && ask.from >= size)
    return say(wire, `HTTP/1.1 416 No\r\nContent-Range: bytes */${size}\r\nContent-Length: 0\r\n\r\n`);

  const ofPart = given && PART_FAULTS.has(kind ?? '');
  if (ofPart || kind === 'wrong length' || kind === 'extra bytes') note();
  const partial = given && kind !== '200 to a range';
  const content = ofPart ? contentOfPart(file.bytes, kind) : file.bytes;
  const from = partial ? ask.from + (kind === 'wrong Content-Range' ? 1 : 0) : 0;
  const to = partial ? Math.min(content.length, (ask.last ?? size - 1) + 1) : size;
  // A lying part has the bytes of the beginning, under the requested range.
  const start = ofPart && kind === 'lying part' ? 0 : from;
  const body = bodyOf(content.subarray(start, start + to - from), from, fault, note);
  const framing = kind === 'wrong length' ? 'length' : file.framing;
  const length = body.length + lengthOff(fault);
  const head = [
    partial ? 'HTTP/1.1 206 Partial Content' : 'HTTP/1.1 200 OK',
    'Content-Type: application/x-rpm',
    ofPart && kind === 'another file' ? '' : `ETag: ${ofPart && kind === 'changed entity tag' ? '"another"' : etag}`,
    partial ? `Content-Range: bytes ${from}-${to - 1}/${content.length}` : '',
    framing === 'chunked' ? 'Transfer-Encoding: chunked' : '',
    framing === 'length' ? `Content-Length: ${Math.max(0, length)}` : '',
    framing === 'close' ? 'Connection: close' : '',
  ].filter((line) => line !== '');
  if (ask.method === 'HEAD') return say(wire, `${head.join('\r\n')}\r\n\r\n`);
  const late = fault?.kind === 'wrong bytes' && fault.late ? LATE : 0;
  return speak(wire, `${head.join('\r\n')}\r\n\r\n`, body, framing, breakOf(fault, from, note), late);
};

/** The difference between the stated length and the bytes that follow. */
const lengthOff = (fault: Fault | undefined): number => {
  if (fault?.kind === 'extra bytes') return -fault.count;
  return fault?.kind === 'wrong length' ? fault.by : 0;
};

/** Faults that the answer to HEAD shows too. */
const OF_HEADS: ReadonlySet<string> = new Set(['status', 'redirect loop', 'not HTTP', 'endless head', 'wrong length']);

const PART_FAULTS: ReadonlySet<string> = new Set([
  '200 to a range',
  'wrong Content-Range',
  'wrong total',
  'changed entity tag',
  'lying part',
  'another file',
]);

/** The content that parts are taken from. */
const contentOfPart = (bytes: Uint8Array, kind: Fault['kind'] | undefined): Uint8Array => {
  if (kind === 'wrong total') return Buffer.concat([bytes, Buffer.alloc(7, 'x')]);
  return kind === 'another file' ? bytes.map((byte) => byte ^ 1) : bytes;
};

/** The bytes sent of a body that begins at this byte of the content. */
const bodyOf = (body: Uint8Array, from: number, fault: Fault | undefined, note: Note): Uint8Array => {
  if (fault?.kind === 'extra bytes') return Buffer.concat([body, Buffer.alloc(fault.count, 'x')]);
  if (fault?.kind !== 'wrong bytes') return body;
  const { where, at } = fault.place;
  const byte = body[at - from];
  if (byte === undefined) return body;
  note(where);
  return body.with(at - from, byte ^ 1);
};

/**
 * The place of a break, in bytes of the body (-2: before the head, -1: in the head), and its kind.
 */
interface Break {
  readonly at: number;
  readonly how: 'reset' | 'early end' | 'stall' | 'trickle' | 'truncated TLS';
  readonly note: () => void;
}

const breakOf = (fault: Fault | undefined, from: number, note: Note): Break | undefined => {
  if (fault?.kind === 'wears out') return { at: fault.after, how: 'reset', note };
  if (!fault || !('place' in fault) || fault.kind === 'wrong bytes') return undefined;
  const { where, at } = fault.place;
  const early = ({ 'before the head': -2, 'in the head': -1 } as Record<string, number>)[where];
  return { at: early ?? Math.max(0, at - from), how: fault.kind, note: () => note(where) };
};

const speak = async (
  wire: Wire,
  head: string,
  body: Uint8Array,
  framing: Framing,
  broken: Break | undefined,
  late: number,
) => {
  if (broken?.at === -2) return breakOff(wire, Buffer.from(head), broken);
  if (broken?.at === -1) {
    await say(wire, head.slice(0, head.length / 2));
    return breakOff(wire, Buffer.from(head.slice(head.length / 2)), broken);
  }
  if (!(await say(wire, head))) return;
  for (let at = 0; at < body.length; at += PIECE) {
    const piece = body.subarray(at, at + PIECE);
    const framed = framing === 'chunked' ? chunkOf(piece) : piece;
    // A break within a chunk leaves it unfinished; one at its end omits the next one.
    if (broken && broken.at < at + piece.length) {
      const frame = framing === 'chunked' ? framed.length - piece.length - 2 : 0;
      const cut = broken.at === at ? 0 : frame + broken.at - at;
      await say(wire, framed.subarray(0, cut));
      return breakOff(wire, framed.subarray(cut), broken);
    }
    if (!(await say(wire, framed))) return;
  }
  if (broken && broken.at <= body.length && framing !== 'length')
    return breakOff(wire, framing === 'chunked' ? LAST_CHUNK : EMPTY, broken);
  if (late > 0) await setTimeout(late);
  if (framing === 'chunked') await say(wire, LAST_CHUNK);
  if (framing === 'close') wire.socket.end();
};

/** Milliseconds between trickled bytes, and before the end of a late body. */
const TRICKLE = 40;
const LATE = 300;
const EMPTY = Buffer.alloc(0);
const LAST_CHUNK = Buffer.from('0\r\n\r\n');

const chunkOf = (piece: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);

const breakOff = async (wire: Wire, rest: Uint8Array, { how, note }: Break) => {
  note();
  if (how === 'reset') wire.raw.resetAndDestroy();
  else if (how === 'truncated TLS') wire.raw.destroy();
  else if (how === 'early end') wire.socket.end();
  else if (how === 'trickle') await trickle(wire, rest);
  await closed(wire.raw);
};

const closed = (raw: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (raw.closed) resolve();
    else raw.once('close', () => resolve());
  });

/** Sends a byte at a time while the client is connected. */
const trickle = async (wire: Wire, rest: Uint8Array) => {
  for (const byte of rest) {
    if (!(await say(wire, Uint8Array.of(byte)))) return;
    await setTimeout(TRICKLE);
  }
};

/** Resolves once the bytes are sent, to whether the client is still connected. */
const say = ({ socket, raw, sent }: Wire, what: string | Uint8Array): Promise<boolean> =>
  new Promise((resolve) => {
    if (socket.destroyed || raw.destroyed) return resolve(false);
    if (what.length === 0) return resolve(true);
    const left = () => resolve(false);
    raw.once('close', left);
    socket.write(what, (error) => {
      raw.off('close', left);
      if (!error && typeof what !== 'string') sent?.(what.length);
      resolve(!error);
    });
  });
