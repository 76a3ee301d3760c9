import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a host of the scene answers for a file. */
export interface Manner {
  /** Bytes a second. Default: as fast as the client reads. */
  readonly speed?: number;
  /** Milliseconds before the head. */
  readonly wait?: number;
  /** Bytes of a first answer after which the connection is lost. */
  readonly diesAt?: number;
  /** Sends other bytes of the same number. */
  readonly wrong?: boolean;
  readonly status?: number;
}

/** Milliseconds between two pieces of a body. */
const PIECE = 100;

const send = (res: ServerResponse, body: Uint8Array, { speed = Number.POSITIVE_INFINITY, diesAt }: Manner): void => {
  let at = 0;
  const next = () => {
    if (res.destroyed) return;
    const end = Math.min(body.length, at + (speed * PIECE) / 1000, diesAt ?? body.length);
    const flows = res.write(body.subarray(at, end));
    at = end;
    if (at === diesAt) setTimeout(() => res.socket?.resetAndDestroy(), PIECE);
    else if (at === body.length) res.end();
    else if (flows) setTimeout(next, PIECE);
    else res.once('drain', () => setTimeout(next, PIECE));
  };
  next();
};

export interface Feeds {
  /** The port of a proxy that answers for every host. */
  readonly port: number;
  put(url: string, body: Buffer, manner?: Manner): void;
  close(): void;
}

/** All feeds of the scene: one proxy on loopback plays their hosts, so that they have names. */
export const startFeeds = async (): Promise<Feeds> => {
  const files = new Map<string, { readonly body: Buffer; readonly manner: Manner }>();
  const server = createServer((req, res) => {
    const file = files.get(req.url ?? '');
    const { wait = 0, status = 200, wrong = false, ...manner } = file?.manner ?? { status: 404 };
    setTimeout(() => {
      if (!file || status !== 200) return res.writeHead(status).end();
      const [, from] = /^bytes=(\d+)-$/.exec(req.headers.range ?? '') ?? [];
      const first = Number(from ?? 0);
      const whole = wrong ? Buffer.alloc(file.body.length, 'x') : file.body;
      const body = whole.subarray(first);
      res.writeHead(from ? 206 : 200, {
        'Content-Length': body.length,
        ETag: '"scene"',
        'Accept-Ranges': 'bytes',
        ...(from && { 'Content-Range': `bytes ${first}-${whole.length - 1}/${whole.length}` }),
      });
      return send(res, body, from ? { ...manner, diesAt: undefined } : manner);
    }, wait);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    put: (url, body, manner = {}) => files.set(url, { body, manner }),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
