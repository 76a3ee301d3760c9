/**
 * A proxy with undici: `request` and `pipeline`. `undici.ts PORT PLACES_JSON` relays `/http/NAME`
 * and `/https/NAME` from the feeds.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream';
import { Agent, request } from 'undici';
import type { Places } from '../origin.ts';

const [port, json = ''] = process.argv.slice(2);
const { http, https, ca, cert, key }: Places = JSON.parse(json);
const dispatcher = new Agent({
  connect: { ca: readFileSync(ca, 'utf8'), cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') },
});

createServer(async (req, res) => {
  const [, place, name = ''] = req.url?.split('/') ?? [];
  if (place !== 'http' && place !== 'https') {
    res.writeHead(404).end();
    return;
  }
  const { statusCode, headers, body } = await request(`${place === 'http' ? http : https}/${name}`, { dispatcher });
  res.writeHead(statusCode, { 'Content-Length': headers['content-length'] });
  pipeline(body, res, () => {});
}).listen(Number(port), '127.0.0.1');
