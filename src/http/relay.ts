import { type Agent, type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Asking } from './client-address.ts';
import type { Exchange } from './connection.ts';
import { end } from './end.ts';

/** Has what only the connection of the client shows: its address, and the version that it uses. */
const RELAYED = 'pulp-streamer-relayed';

/** Fields of one connection, which the next one has its own of (RFC 9110 section 7.6.1). */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade']);
/** `Expect` is answered here, or not at all; the field of relays may only come from a relay. */
const NOT_ASKED = new Set([...OF_CONNECTION, 'expect', RELAYED]);

const without = (fields: readonly string[], names: ReadonlySet<string>): string[] => {
  const kept: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    const [name = '', value = ''] = [fields[at], fields[at + 1]];
    if (!names.has(name.toLowerCase())) kept.push(name, value);
  }
  return kept;
};

interface RelayOptions {
  /** The unix socket of the process that answers. */
  readonly socketPath: string;
  readonly agent: Agent;
  /** Milliseconds in which a client may read nothing of a written response. 0: no limit. */
  readonly clientTimeout: number;
  /** Answers in this process, if the other one did not begin to. */
  readonly alone: () => Exchange;
}

/**
 * Has a request answered by another process of the daemon, and passes its response on as it comes: no
 * faster than the client reads. The other process gets the fields as the client sent them, and its
 * address. It limits, logs and reports the request.
 *
 * If the other process ends during the response, the connection of the client is reset. If it cannot
 * be reached, or ends before its response, this process answers.
 */
export const createRelay = (
  req: IncomingMessage,
  res: ServerResponse,
  { socketPath, agent, clientTimeout, alone }: RelayOptions,
): Exchange => {
  const { method, url, rawHeaders, headers, httpVersion, socket } = req;
  let asked: ClientRequest | undefined;
  const ask = () => {
    const fields = without(rawHeaders, NOT_ASKED);
    // HTTP/1.0 permits to leave it out.
    if (headers.host === undefined) fields.push('Host', '');
    fields.push(RELAYED, `${httpVersion} ${socket.remoteAddress ?? ''}`);
    const asking = request({ socketPath, agent, method, path: url, headers: fields });
    asked = asking;
    let began = false;
    asking.on('response', (response) => {
      began = true;
      passOn(response, res, clientTimeout);
    });
    asking.on('error', () => {
      // After the response has begun, it has the error as well.
      if (began || res.destroyed) return;
      // A connection that was unused may have been closed just now.
      if (asking.reusedSocket) ask();
      else alone().answer();
    });
    asking.end();
  };
  return {
    answer: () => {
      res.on('close', () => asked?.destroy());
      ask();
    },
  };
};

const passOn = (response: IncomingMessage, res: ServerResponse, clientTimeout: number): void => {
  res.writeHead(response.statusCode ?? 502, without(response.rawHeaders, OF_CONNECTION));
  // Like the other process, which sends the head of what takes a while.
  setImmediate(() => {
    if (!res.writableEnded && !res.destroyed) res.flushHeaders();
  });
  response.on('data', (bytes: Buffer) => {
    if (!res.write(bytes)) response.pause();
  });
  res.on('drain', () => response.resume());
  response.on('end', () => end(res, undefined, clientTimeout));
  // Also what ends too early: neither a cache nor a client may take a part for the whole.
  response.on('error', () => res.socket?.resetAndDestroy());
};

/** The origin of a request that another process relays. Call it once: it also removes that field. */
export const relayedFrom = (req: IncomingMessage): Asking => {
  const [, version = '1.1', remoteAddress] = /^(\S+) (.*)$/.exec(String(req.headers[RELAYED])) ?? [];
  delete req.headers[RELAYED];
  req.httpVersion = version;
  return { socket: { remoteAddress }, headers: req.headers };
};
