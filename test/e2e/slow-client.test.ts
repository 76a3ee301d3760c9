import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ask, paced, receive } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { BLOCK, generate, serveGenerated } from '../support/generated.ts';
import { memoryOf, openOf, processes, resetPeak } from '../support/processes.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';
import { until } from '../support/until.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

const MIB = 1024 * 1024;
const RATE = MIB;
const SECONDS = 20;

const LARGE = generate(0, 1024 * MIB);
/** Three times 64 MiB: by then the runtime has allocated all its memory. */
const WARM_UPS = ['/1', '/2', '/3'];

describe('a client that reads 1 MiB/s of 1 GiB', () => {
  // Measured: 0 to 16 MiB more memory. The feed is 10 MiB ahead, held by the kernel on both sides
  // of the daemon.
  it.each([
    ['the feed runs less than 32 MiB ahead if nothing may wait on disk', { dispatch: 'none', spill_limit: 0 }],
    ['the feed runs ahead into the copy', { dispatch: 'save' }],
  ])(
    'costs less than 32 MiB of memory; %s; and leaves nothing open',
    async (_, settings) => {
      let sent = 0;
      const contents = new Map([['/large', LARGE], ...WARM_UPS.map((path) => [path, generate(1, 64 * MIB)] as const)]);
      const feed = await startFeed(
        serveGenerated(contents, (path, bytes) => {
          if (path === '/large') sent += bytes;
        }),
      );
      const site = makeSite(start, folder(), { idle_timeout: '50ms', ...settings });
      for (const path of contents.keys()) await site.run('catalog', 'add', path, feed.url + path);
      const daemon = await site.serve();
      const saved = join(site.stateDir, 'saved');
      const sockets = () => openOf(daemon.pid).filter((name) => name.startsWith('socket:')).length;
      const copies = () => openOf(daemon.pid).filter((name) => name.startsWith(saved) && !name.endsWith('.lock'));

      for (const path of WARM_UPS) await receive(daemon.url + path);
      if (settings.dispatch === 'save') await daemon.logged('saved', {}, WARM_UPS.length);
      await until(() => feed.connections.open.size === 0);
      const idle = sockets();
      // Not what is resident now: buffers that nobody needed for a second are gone.
      const { peak: before } = memoryOf(daemon.pid);
      resetPeak(daemon.pid);

      const received: Buffer[] = [];
      let bytes = 0;
      let ahead = 0;
      for await (const chunk of paced(await ask(`${daemon.url}/large`), RATE)) {
        received.push(chunk);
        bytes += chunk.length;
        ahead = Math.max(ahead, sent - bytes);
        // Leaving the loop closes the client's connection.
        if (bytes >= SECONDS * RATE) break;
      }
      const grown = memoryOf(daemon.pid).peak - before;
      expect(grown).toBeLessThan(32 * MIB);
      if (settings.dispatch === 'none') expect(ahead).toBeLessThan(32 * MIB);
      else expect(ahead).toBeGreaterThan(64 * MIB);

      const [line] = await daemon.logged('request', { path: '/large' });
      expect(line).toMatchObject({ status: 499, outcome: 'left', source: `feed:127.0.0.1:${feed.port}` });
      expect(Number(line?.bytes)).toBeGreaterThanOrEqual(bytes);
      await until(() => feed.connections.open.size === 0 && sockets() <= idle && copies().length === 0);

      const blocks = Array.from({ length: Math.ceil(bytes / BLOCK) }, (_, index) => LARGE.block(index));
      expect(Buffer.concat(received).equals(Buffer.concat(blocks).subarray(0, bytes))).toBe(true);
      expect((await daemon.stop()).status).toBe(0);
    },
    90_000,
  );
});
