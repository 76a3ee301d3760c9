import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '../src/cli/demo/certificates.ts';

/** The content of every file is this block, repeated: so the feed costs as little as possible. */
export const BLOCK = Buffer.alloc(256 * 1024, 'pulp-streamer ');

/** The size of a file in bytes, from its name. */
export const sizeOf = (name: string): number => Number.parseInt(name, 10);

export const digestOf = (size: number): string => {
  const hash = createHash('sha256');
  for (let left = size; left > 0; left -= BLOCK.length) hash.update(BLOCK.subarray(0, Math.min(left, BLOCK.length)));
  return hash.digest('hex');
};

/** Feeds with files of every size: `/4096-0` has 4096 bytes, and so has `/4096-1`. */
export interface Feeds {
  readonly http: string;
  /** Demands a client certificate. */
  readonly https: string;
  readonly ca: string;
  readonly client: { readonly cert: string; readonly key: string };
  /** Bytes that were sent so far. */
  readonly sent: () => number;
  close(): void;
}

export const startFeeds = async (): Promise<Feeds> => {
  let sent = 0;
  const answer: RequestListener = ({ url = '' }, res) => {
    const size = sizeOf(url.slice(1));
    res.writeHead(200, { 'Content-Length': size });
    let left = size;
    const push = () => {
      while (left > 0) {
        const bytes = left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK;
        left -= bytes.length;
        sent += bytes.length;
        if (!res.write(bytes)) return;
      }
      res.end();
    };
    res.on('drain', push);
    push();
  };
  const authority = await createAuthority('pulp-streamer bench CA');
  const identity = await authority.server(['localhost', '127.0.0.1']);
  const servers = [
    createHttp(answer),
    createHttps({ ...identity, ca: authority.cert, requestCert: true, rejectUnauthorized: true }, answer),
  ];
  const [http = 0, https = 0] = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }),
  );
  return {
    http: `http://127.0.0.1:${http}`,
    https: `https://localhost:${https}`,
    ca: authority.cert,
    client: await authority.client('bench'),
    sent: () => sent,
    close: () => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
};
