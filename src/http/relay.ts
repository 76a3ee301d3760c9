import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Header } from '../../pipelines/model/index.ts';
import { loanOf } from '../lib/lent-buffers.ts';
import type { Asking } from './client-address.ts';
import type { Exchange } from './connection.ts';
import { end } from './end.ts';
import { reset } from './reset.ts';
import type { Relays } from './server-options.ts';
import { writeLent } from './write-lent.ts';

/** Has what only the connection of the client shows: its address, and the version that it uses. */
const RELAYED = 'pulp-streamer-relayed';

/** Fields of one connection, which the next one has its own of (RFC 9110 section 7.6.1). */
const OF_CONNECTION = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade']);
/**
 * No body is passed on. `Expect` is answered here, or not at all; the field of relays may only come from
 * a relay.
 */
const NOT_ASKED = new Set([...OF_CONNECTION, 'content-length', 'expect', RELAYED]);

interface RelayOptions {
  readonly send: (...asked: Tail<Parameters<Relays['send']>>) => ReturnType<Relays['send']>;
  /** Milliseconds in which a client may read nothing of a written response. 0: no limit. */
  readonly clientTimeout: number;
  /** Answers in this process, if the other one did not begin to. */
  readonly alone: () => Exchange;
}

type Tail<T extends readonly unknown[]> = T extends readonly [unknown, ...infer Rest] ? Rest : never;

/**
 * Has a GET or HEAD answered by another process of the daemon, and passes its response on as it comes:
 * no faster than the client reads. The other process gets the fields as the client sent them, and its
 * address. It limits, logs and reports the request.
 *
 * If the other process ends during the response, the connection of the client is reset. If it cannot
 * be reached, or ends before its response, this process answers.
 */
export const createRelay = (
  req: IncomingMessage,
  res: ServerResponse,
  { send, clientTimeout, alone }: RelayOptions,
): Exchange => {
  let relayed: ReturnType<RelayOptions['send']> | undefined;
  let isPaused = false;
  const emptied = () => {
    if (!isPaused) return;
    isPaused = false;
    relayed?.resume();
  };
  const passOn = (bytes: Uint8Array) => {
    if (!writeLent(res, bytes, loanOf(bytes), emptied)) return;
    isPaused = true;
    relayed?.pause();
  };
  return {
    answer: () => {
      res.on('close', () => relayed?.abort());
      relayed = send(requestOf(req), {
        head: (status, headers) => {
          res.writeHead(status, without(headers, OF_CONNECTION).flat());
          // Like the other process, which sends the head of what takes a while.
          setImmediate(() => {
            if (!res.writableEnded && !res.destroyed) res.flushHeaders();
          });
          return true;
        },
        data: passOn,
        end: () => end(res, undefined, clientTimeout),
        error: () => {
          // Neither a cache nor a client may take a part for the whole.
          if (res.headersSent) reset(res.socket);
          else if (!res.destroyed) alone().answer();
        },
      });
    },
  };
};

/** The request as the other process gets it. */
const requestOf = ({ method, url = '', rawHeaders, headers, httpVersion, socket }: IncomingMessage) => {
  const fields = without(pairsOf(rawHeaders), NOT_ASKED);
  // HTTP/1.0 permits to leave it out.
  if (headers.host === undefined) fields.push(['Host', '']);
  fields.push([RELAYED, `${httpVersion} ${socket.remoteAddress ?? ''}`]);
  return {
    method: method === 'HEAD' ? ('HEAD' as const) : ('GET' as const),
    url: { host: '', pathname: url, search: '' },
    headers: fields,
    more: [],
  };
};

const pairsOf = (fields: readonly string[]): readonly Header[] =>
  Array.from({ length: fields.length / 2 }, (_, at) => [fields[2 * at] ?? '', fields[2 * at + 1] ?? ''] as const);

const without = (fields: readonly Header[], names: ReadonlySet<string>): Header[] =>
  fields.filter(([name]) => !names.has(name.toLowerCase()));

/** The origin of a request that another process relays. Call it once: it also removes that field. */
export const relayedFrom = (req: IncomingMessage): Asking => {
  const [, version = '1.1', remoteAddress] = /^(\S+) (.*)$/.exec(String(req.headers[RELAYED])) ?? [];
  delete req.headers[RELAYED];
  req.httpVersion = version;
  return { socket: { remoteAddress }, headers: req.headers };
};
