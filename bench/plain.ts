/**
 * The obvious relay in Node alone, for comparison: requests are relayed by `http.request` and
 * `pipeline`, files by `createReadStream`. `plain.ts PORT JSON`, with `Places` as JSON.
 */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer, get as getHttp, type IncomingMessage } from 'node:http';
import { Agent, get as getHttps } from 'node:https';
import { pipeline } from 'node:stream';

/** The places of content that a relay is started with. */
export interface Places {
  /** Both without a slash at the end. `https` demands the client certificate. */
  readonly http: string;
  readonly https: string;
  /** A folder with `large`. */
  readonly files: string;
  /** PEM files. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const [port, json = ''] = process.argv.slice(2);
const { http, https, files, ca, cert, key }: Places = JSON.parse(json);
const agent = new Agent({
  keepAlive: true,
  ca: readFileSync(ca),
  cert: readFileSync(cert),
  key: readFileSync(key),
});

createServer((req, res) => {
  const [, place, name = ''] = req.url?.split('/') ?? [];
  const relay = (from: IncomingMessage) => {
    res.writeHead(200, { 'Content-Length': from.headers['content-length'] });
    pipeline(from, res, () => {});
  };
  if (place === 'http') getHttp(`${http}/${name}`, relay);
  else if (place === 'https') getHttps(`${https}/${name}`, { agent }, relay);
  else if (place === 'file') {
    const file = `${files}/${name}`;
    res.writeHead(200, { 'Content-Length': statSync(file).size });
    pipeline(createReadStream(file), res, () => {});
  } else res.writeHead(404).end();
}).listen(Number(port), '127.0.0.1');
