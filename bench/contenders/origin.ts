/**
 * The origin, in a separate process: a feed over HTTP, and one over HTTPS that demands a client
 * certificate. Both have every file whose name begins with its length, in any folder, and the
 * repository metadata in a folder on disk. `origin.ts HTTP_PORT HTTPS_PORT IDENTITY_JSON FOLDER`
 */
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream';
import { contentOf, sizeOf } from '../content.ts';

/** What the origin counts from its start on, of files whose name begins with their length. */
export interface Counts {
  readonly requests: number;
  /** Paths that were requested more than once. */
  readonly repeated: readonly string[];
  /** Bytes that were written to clients. */
  readonly sent: number;
}

const [httpPort, httpsPort, identity = '', folder = ''] = process.argv.slice(2);
const { cert, key, ca } = JSON.parse(readFileSync(identity, 'utf8'));

let [requests, sent] = [0, 0];
const paths = new Set<string>();
const repeated = new Set<string>();

const answer: RequestListener = ({ url = '', method }, res) => {
  const name = basename(url);
  if (method === 'HEAD') {
    res.end();
    return;
  }
  if (url.includes('/repodata/') && existsSync(join(folder, 'repodata', name))) {
    const file = join(folder, 'repodata', name);
    res.writeHead(200, { 'Content-Length': statSync(file).size });
    pipeline(createReadStream(file), res, () => {});
    return;
  }
  // Squid also requests data of its own from a parent, such as /squid-internal-dynamic/netdb.
  if (!/^\d/.test(name)) {
    res.writeHead(404).end();
    return;
  }
  requests += 1;
  (paths.has(url) ? repeated : paths).add(url);
  res.writeHead(200, { 'Content-Length': sizeOf(name) });
  const pieces = contentOf(name);
  const push = () => {
    for (let next = pieces.next(); !next.done; next = pieces.next()) {
      sent += next.value.length;
      if (!res.write(next.value)) {
        res.once('drain', push);
        return;
      }
    }
    res.end();
  };
  push();
};

// Otherwise it would close connections that a contender is about to use again.
const KEEP = { keepAliveTimeout: 3_600_000 };
createHttps({ ...KEEP, cert, key, ca, requestCert: true, rejectUnauthorized: true }, answer).listen(
  Number(httpsPort),
  '127.0.0.1',
  () => createHttp(KEEP, answer).listen(Number(httpPort), '127.0.0.1'),
);
process.on('message', () => {
  process.send?.({ requests, repeated: [...repeated], sent } satisfies Counts);
});
process.on('disconnect', () => process.exit());
