// The streamer in a handler of Fastify.
import fastify from 'fastify';
import { createStreamer } from 'pulp-streamer';

const PREFIX = '/content';
const streamer = await createStreamer({ stateDir: 'state', dispatch: 'none' });
const app = fastify();

app.get('/', () => 'a program of my own\n');
app.get(`${PREFIX}/*`, async (request, reply) => {
  // From here on the streamer writes the response.
  reply.hijack();
  const { status, report } = await streamer.respond(request.raw, reply.raw, { url: request.url.slice(PREFIX.length) });
  console.log(status, request.url, report?.source ?? '-');
});

console.log(await app.listen({ port: Number(process.env.PORT ?? 8080), host: 'localhost' }));

// Running responses end first.
process.once('SIGTERM', () => app.close().then(() => streamer.close()));
