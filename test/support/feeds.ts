import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createHttps, type ServerOptions } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net';
import { until } from './until.ts';

/** A real server on the loopback interface. */
export interface TestFeed {
  /** Without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Every request so far. */
  readonly requests: readonly IncomingMessage[];
  /** The number of connections ever made, and those that are open. */
  readonly connections: { readonly made: number; readonly open: ReadonlySet<Socket> };
  /** Resolves once no response is in progress. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

/** An HTTP server, or an HTTPS server if TLS options are given. */
export const startFeed = async (answer: RequestListener, tls?: ServerOptions): Promise<TestFeed> => {
  const requests: IncomingMessage[] = [];
  const running = new Set<ServerResponse>();
  const listener: RequestListener = (request, response) => {
    // As a server must, it accepts what a client sends to a proxy (RFC 9112 section 3.2.2).
    request.url = request.url?.replace(/^http:\/\/[^/]+/, '') ?? '';
    requests.push(request);
    running.add(response);
    response.on('close', () => running.delete(response));
    answer(request, response);
  };
  const server = tls ? createHttps(tls, listener) : createHttp(listener);
  return {
    ...(await listen(server, tls ? 'https' : 'http')),
    requests,
    quiet: () => until(() => running.size === 0),
  };
};

/** Starts an existing server. */
export const startOn = async (server: Server): Promise<TestFeed> => {
  const feed = await listen(server, 'http');
  return { ...feed, requests: [], quiet: () => until(() => feed.connections.open.size === 0) };
};

/** A TCP server with the given behaviour. */
export const startRaw = (speak: (socket: Socket) => void): Promise<TestFeed> => startOn(createTcp(speak));

/** Answers the first request on a connection with bytes as they are. */
export const startScript = (bytes: string, then: (socket: Socket) => void = () => {}): Promise<TestFeed> =>
  startRaw((socket) => {
    socket.once('data', () => socket.write(bytes, 'latin1', () => then(socket)));
  });

/** A port without a listener. */
export const closedPort = async (): Promise<number> => {
  const feed = await startRaw(() => {});
  await feed.close();
  return feed.port;
};

const listen = async (server: Server, scheme: string) => {
  const open = new Set<Socket>();
  const connections = { made: 0, open };
  server.on('connection', (socket: Socket) => {
    connections.made += 1;
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    connections,
    close: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      await until(() => open.size === 0 && !server.listening);
    },
  };
};

/** Sends contents as fast as the client reads, and counts the bytes written by path. */
export const flood = (
  content: Uint8Array,
): { readonly listener: RequestListener; readonly sent: Map<string, number> } => {
  const sent = new Map<string, number>();
  const listener: RequestListener = (request, response) => {
    response.writeHead(200, { 'Content-Length': content.length });
    flow(response, content, (bytes) => sent.set(request.url ?? '', bytes));
  };
  return { listener, sent };
};

/** Writes a body as fast as the client reads. */
export const flow = (response: ServerResponse, content: Uint8Array, note: (bytes: number) => void): void => {
  let at = 0;
  const more = () => {
    let room = true;
    while (room && !response.destroyed && at < content.length) {
      room = response.write(content.subarray(at, at + 65_536));
      at = Math.min(at + 65_536, content.length);
      note(at);
    }
    if (at === content.length) response.end();
  };
  response.on('drain', more);
  more();
};

const etagOf = (content: Uint8Array): string => `"${content.length}-${content[0] ?? 0}"`;

/** Serves contents by path, with Range (one), If-Range and HEAD. */
export const serveContents =
  (contents: ReadonlyMap<string, Uint8Array>): RequestListener =>
  (request, response) => {
    const content = contents.get(request.url ?? '');
    if (!content) return response.writeHead(404).end('no such file');
    const { length } = content;
    const etag = etagOf(content);
    const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
    const isPart = first !== undefined && (request.headers['if-range'] ?? etag) === etag;
    if (!isPart) return response.writeHead(200, { ETag: etag, 'Content-Length': length }).end(content);
    const from = first ? Number(first) : Math.max(0, length - Number(last));
    const to = first && last ? Math.min(Number(last), length - 1) : length - 1;
    if (from > to) return response.writeHead(416, { 'Content-Range': `bytes */${length}` }).end();
    return response
      .writeHead(206, { ETag: etag, 'Content-Length': to - from + 1, 'Content-Range': `bytes ${from}-${to}/${length}` })
      .end(content.subarray(from, to + 1));
  };
