import { describe, expect, it } from '@jest/globals';
import { ask, receive } from '../support/clients.ts';
import { temporaryFolders } from '../support/folder.ts';
import { digestOfGenerated, generate, serveGenerated } from '../support/generated.ts';
import { sha256 } from '../support/importing.ts';
import { processes } from '../support/processes.ts';
import { makeSite } from '../support/site.ts';
import { closedFeeds } from '../support/site-feeds.ts';

const start = processes();
const startFeed = closedFeeds();
const folder = temporaryFolders();

/** More than sockets hold for a client that does not read. */
const CONTENT = generate(1, 32 << 20);

/** The daemon during a transfer to a client that has stopped reading. */
const openTransfer = async (stopTimeout: string) => {
  const feed = await startFeed(serveGenerated(new Map([['/large', CONTENT]])));
  const site = makeSite(start, folder(), { stop_timeout: stopTimeout });
  await site.run('catalog', 'add', '/large', `${feed.url}/large`);
  const daemon = await site.serve();
  const response = await ask(`${daemon.url}/large`);
  const rest = async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  return { daemon, rest };
};

describe('stopping the daemon', () => {
  it('accepts no more requests and finishes the running transfer after SIGTERM', async () => {
    const { daemon, rest } = await openTransfer('1h');
    const stopped = daemon.stop();
    await daemon.logged('stopping; a second signal stops at once');
    await expect(receive(`${daemon.url}/large`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(sha256(await rest())).toBe(digestOfGenerated(CONTENT));
    expect(await stopped).toMatchObject({ status: 0, stderr: '' });
    await daemon.logged('request', { outcome: 'complete', bytes: CONTENT.size });
    await daemon.logged('stopped');
  });

  it('cuts the running transfer if it takes longer than stop_timeout', async () => {
    const { daemon, rest } = await openTransfer('200ms');
    const { status, stderr } = await daemon.stop();
    await expect(rest()).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    await daemon.logged('stopped');
  });

  it('ends at once with the second SIGTERM', async () => {
    const { daemon, rest } = await openTransfer('1h');
    const stopped = daemon.stop();
    await daemon.logged('stopping; a second signal stops at once');
    daemon.kill('SIGTERM');
    expect((await stopped).status).toBe(1);
    await expect(rest()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });
});
