// The streamer in a handler of Hono, on Node.
import { serve } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { createStreamer } from 'pulp-streamer';

const PREFIX = '/content';
const streamer = await createStreamer({ stateDir: 'state', dispatch: 'none' });
const app = new Hono();

app.get('/', (c) => c.text('a program of my own\n'));
app.get(`${PREFIX}/*`, async (c) => {
  const { incoming, outgoing } = c.env;
  const { status, report } = await streamer.respond(incoming, outgoing, { url: incoming.url.slice(PREFIX.length) });
  console.log(status, incoming.url, report?.source ?? '-');
  return RESPONSE_ALREADY_SENT;
});

const server = serve(
  {
    fetch: app.fetch,
    port: Number(process.env.PORT ?? 8080),
    hostname: 'localhost',
    // The adapter's own Response would answer HEAD a second time.
    overrideGlobalObjects: false,
  },
  ({ port }) => console.log(`http://localhost:${port}`),
);

// Running responses end first.
process.once('SIGTERM', () => server.close(() => streamer.close()));
