// The streamer in a handler of node:http.
import { createServer } from 'node:http';
import { createStreamer } from 'pulp-streamer';

const streamer = await createStreamer({ stateDir: 'state', dispatch: 'none' });

const server = createServer(async (req, res) => {
  if (req.url === '/') return res.end('a program of my own\n');
  const { status, report } = await streamer.respond(req, res);
  console.log(status, req.url, report?.source ?? '-');
});
server.listen(process.env.PORT ?? 8080, 'localhost', () => {
  console.log(`http://localhost:${server.address().port}`);
});

// Running responses end first.
process.once('SIGTERM', () => server.close(() => streamer.close()));
