import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Kind, Version } from './content.ts';

/** A fault of a feed. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number }
  /** A response that reaches this byte ends before it. */
  | { readonly kind: 'cut'; readonly at: number }
  /** This byte of the file is wrong. */
  | { readonly kind: 'wrong byte'; readonly at: number };

/** A feed with one file of changing content, and another file that it always refuses. */
export interface Feed {
  /** The URL of the file. A suffix makes no difference. */
  readonly url: string;
  readonly refusedUrl: string;
  /**
   * From now on the feed has this version, with this fault. Responses under way continue as they
   * began.
   */
  show(version: Version | undefined, fault?: Fault): void;
  /** From now on every body pauses for this many milliseconds at its middle. */
  rest(milliseconds: number): void;
  close(): void;
}

interface Shown {
  readonly version: Version;
  readonly fault?: Fault;
}

/** Starts a feed on a new port, so that the streamer takes it for another source. */
export const openFeed = async (kind: Kind): Promise<Feed> => {
  let shown: Shown | undefined;
  let resting = 0;
  const server = createServer((req, res) => {
    const isFile = req.url?.startsWith('/file');
    if (isFile && shown) void play(req, res, kind, shown, resting);
    else res.writeHead(isFile ? 404 : 500, { 'Content-Length': 0 }).end();
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `${url}/file`,
    refusedUrl: `${url}/refused`,
    show: (version, fault) => {
      shown = version && { version, ...(fault && { fault }) };
    },
    rest: (milliseconds) => {
      resting = milliseconds;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};

/** The requested part, if the feed supports ranges and `If-Range` holds. */
const partOf = ({ headers }: IncomingMessage, { bytes, feedTag, lastModified }: Version, { ranges }: Kind) => {
  const [, first, last = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
  const ifRange = headers['if-range'];
  if (!ranges || first === undefined) return undefined;
  if (ifRange !== undefined && ifRange !== feedTag && ifRange !== lastModified) return undefined;
  return { from: Number(first), to: Math.min(bytes.length, last === '' ? bytes.length : Number(last) + 1) };
};

const play = async (req: IncomingMessage, res: ServerResponse, kind: Kind, shown: Shown, resting: number) => {
  const { version, fault } = shown;
  const { length } = version.bytes;
  if (fault?.kind === 'status') return res.writeHead(fault.status, { 'Content-Length': 0 }).end();
  const part = partOf(req, version, kind);
  if (part && part.from >= part.to)
    return res.writeHead(416, { 'Content-Range': `bytes */${length}`, 'Content-Length': 0 }).end();
  const { from, to } = part ?? { from: 0, to: length };
  res.writeHead(
    part ? 206 : 200,
    Object.entries({
      'Content-Type': version.type,
      ETag: version.feedTag,
      'Last-Modified': version.lastModified,
      'Content-Encoding': version.coding,
      'Content-Length': kind.chunked ? undefined : String(to - from),
      'Content-Range': part && `bytes ${from}-${to - 1}/${length}`,
    }).flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
  );
  if (req.method === 'HEAD') return res.end();
  const content = fault?.kind === 'wrong byte' ? withWrongByte(version.bytes, fault.at) : version.bytes;
  const cut = fault?.kind === 'cut' && fault.at >= from && fault.at < to;
  const end = cut ? fault.at : to;
  const middle = resting > 0 ? from + ((end - from) >> 1) : end;
  res.flushHeaders();
  await write(res, content.subarray(from, middle));
  if (middle < end) {
    await setTimeout(resting);
    await write(res, content.subarray(middle, end));
  }
  return cut ? res.destroy() : res.end();
};

/** The bytes with one of them changed. */
export const withWrongByte = (bytes: Buffer, at: number): Buffer => {
  const content = Buffer.from(bytes);
  content[at] = (content[at] ?? 0) ^ 0x55;
  return content;
};

/** Resolves once the bytes are written, or the connection is closed. */
const write = (res: ServerResponse, bytes: Buffer): Promise<void> =>
  new Promise((resolve) => {
    if (bytes.length === 0 || res.destroyed) return resolve();
    res.once('close', resolve);
    res.write(bytes, () => {
      res.off('close', resolve);
      resolve();
    });
  });
