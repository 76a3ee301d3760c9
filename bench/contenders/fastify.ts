/**
 * A proxy with fastify and its plugin for relaying. `fastify.ts PORT PLACES_JSON` relays `/http/NAME`
 * and `/https/NAME` from the feeds.
 */
import { readFileSync } from 'node:fs';
import replyFrom from '@fastify/reply-from';
import { fastify } from 'fastify';
import type { Places } from '../origin.ts';

const [port, json = ''] = process.argv.slice(2);
const { http, https, ca, cert, key }: Places = JSON.parse(json);

const server = fastify();
server.register(replyFrom, {
  undici: {
    // Otherwise the 129th slow client would wait for another one.
    connections: null,
    connect: { ca: readFileSync(ca, 'utf8'), cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') },
  },
});
server.get<{ Params: { place: string; name: string } }>('/:place/:name', ({ params: { place, name } }, reply) =>
  reply.from(`${place === 'https' ? https : http}/${name}`),
);
await server.listen({ port: Number(port), host: '127.0.0.1' });
