// Serves one entry (JSON), prints its port, and kills itself at the moment of storing the save
// request: when it is appended, or with the word `turn` at the end of that turn of the event loop.
// With `at-once`, it does not ask a feed: the source has all its bytes at once, in two chunks.
import { randomUUID } from 'node:crypto';
import { from, NEVER, of } from 'rxjs';
import { createSharing } from '../../../pipelines/index.ts';
import type { CatalogEntry, SourceEvent } from '../../../pipelines/model/index.ts';
import { composeStreamer } from '../../../src/app/compose.ts';
import { createDefaults } from '../../../src/app/from-settings.ts';
import { createHttpServer } from '../../../src/http/server.ts';
import { say } from './say.ts';

const entry: CatalogEntry = JSON.parse(String(process.argv[2]));
const half = Buffer.alloc(5_000, 'x');
const AT_ONCE: readonly SourceEvent[] = [
  { type: 'head', status: 200, from: 0, length: 2 * half.length, headers: [] },
  { type: 'chunk', bytes: half },
  { type: 'chunk', bytes: half },
];
const die = () => process.kill(process.pid, 'SIGKILL');
const streamer = composeStreamer({
  ...createDefaults(),
  catalog: { lookup: () => of(entry) },
  ...(process.argv[4] === 'at-once' ? { open: () => () => from(AT_ONCE) } : {}),
  sources: [() => of({ entry, source: { kind: 'feed', id: '' }, url: entry.url })],
  sharing: createSharing({ window: 8 << 20, memory: 64 << 20 }),
  ...(process.argv[3] === 'turn'
    ? { outbox: { append: () => setImmediate(die), written: NEVER } }
    : { outbox: { append: die } }),
});
const server = createHttpServer({
  fetch: (request, report) => streamer.fetch(request.path, { ...request, report }),
  finished: () => {},
  newId: randomUUID,
  now: () => performance.now(),
  identify: { via: true, cacheStatus: true, proxyStatus: true, requestId: true },
  legacyErrors: false,
});
const [address] = await server.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
say(String(address?.port));
