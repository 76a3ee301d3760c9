import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import type { TLSSocket } from 'node:tls';
import type { Identity } from './certificates.ts';

export interface DemoFeed {
  readonly url: string;
  /** Requests that it answered so far. */
  readonly answered: () => number;
  close(): void;
}

/**
 * An HTTPS feed on loopback that serves a folder to clients that present a certificate of its
 * authority, and 403 to all others.
 */
export const startFeed = async (folder: string, { cert, key }: Identity, ca: string): Promise<DemoFeed> => {
  let answered = 0;
  const server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: false }, async (req, res) => {
    answered += 1;
    if (!(req.socket as TLSSocket).authorized) {
      res.writeHead(403).end('a client certificate is required\n');
      return;
    }
    const file = join(folder, normalize(decodeURIComponent(req.url ?? '/')));
    try {
      const { size, mtime } = await stat(file);
      res.writeHead(200, { 'Content-Length': size, 'Last-Modified': mtime.toUTCString() });
      createReadStream(file).pipe(res);
    } catch {
      res.writeHead(404).end('no such file\n');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}/`,
    answered: () => answered,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};
