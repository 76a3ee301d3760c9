/**
 * The usual first version of a proxy, with Node alone: `http.get` and `pipeline`, files by
 * `createReadStream`. `node.ts PORT PLACES_JSON FOLDER` relays `/http/NAME` and `/https/NAME` from
 * the feeds, and `/file/NAME` from the folder.
 */
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer, get as getHttp, type IncomingMessage } from 'node:http';
import { Agent, get as getHttps } from 'node:https';
import { pipeline } from 'node:stream';
import type { Places } from '../origin.ts';

const [port, json = '', folder = ''] = process.argv.slice(2);
const { http, https, ca, cert, key }: Places = JSON.parse(json);
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
  const fail = () => res.destroy();
  if (place === 'http') getHttp(`${http}/${name}`, relay).on('error', fail);
  else if (place === 'https') getHttps(`${https}/${name}`, { agent }, relay).on('error', fail);
  else if (place === 'file') {
    const file = `${folder}/${name}`;
    res.writeHead(200, { 'Content-Length': statSync(file).size });
    pipeline(createReadStream(file), res, () => {});
  } else res.writeHead(404).end();
}).listen(Number(port), '127.0.0.1');
