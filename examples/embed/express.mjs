// The streamer in a handler of Express.
import express from 'express';
import { createStreamer } from 'pulp-streamer';

const streamer = await createStreamer({ stateDir: 'state', dispatch: 'none' });
const app = express();

app.get('/', (_req, res) => res.send('a program of my own\n'));
// Express removes /content from `req.url`. The streamer adds its headers to those of the program.
app.use('/content', async (req, res) => {
  const { status, report } = await streamer.respond(req, res);
  console.log(status, req.originalUrl, report?.source ?? '-');
});

const server = app.listen(process.env.PORT ?? 8080, 'localhost', () => {
  console.log(`http://localhost:${server.address().port}`);
});

// Running responses end first.
process.once('SIGTERM', () => server.close(() => streamer.close()));
