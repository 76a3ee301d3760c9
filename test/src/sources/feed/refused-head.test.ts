import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { createHealth } from '../../../../pipelines/index.ts';
import { openHead } from '../../../../pipelines/stages/attempts/open-head.ts';
import { createFeed } from '../../../../src/sources/feed/open.ts';
import { at, collect } from '../../../support/collect.ts';
import { FEED_CLIENTS, feedClient } from '../../../support/feed-clients.ts';
import { feedSettings } from '../../../support/feed-settings.ts';
import { startFeed, type TestFeed } from '../../../support/feeds.ts';

const CONTENT = Buffer.alloc(1_000_000, 'bear');

describe.each(FEED_CLIENTS)('a feed that refuses HEAD, %s', (client) => {
  const feed = feedClient(client)(createFeed(feedSettings()));
  const started: TestFeed[] = [];
  afterEach(() => Promise.all(started.splice(0).map((server) => server.close())));
  afterAll(() => feed.close());

  /** Asks twice. Resolves to the lengths, and what the feed was asked. */
  const askTwice = async (status: number, hasRanges: boolean) => {
    const server = await startFeed((request, response) => {
      if (request.method === 'HEAD') response.writeHead(status).end();
      else if (hasRanges && request.headers.range === 'bytes=0-0')
        response
          .writeHead(206, { 'Content-Range': `bytes 0-0/${CONTENT.length}`, 'Content-Length': 1 })
          .end(CONTENT.subarray(0, 1));
      else response.writeHead(200, { 'Content-Length': CONTENT.length }).end(CONTENT);
    });
    started.push(server);
    const health = createHealth({ cooldown: 1_000_000, cooldownLimit: 1_000_000, random: () => 1 });
    const ask = () => collect(openHead(at(server.url), {}, { open: feed.open, health }));
    const answers = [await ask(), await ask()];
    return {
      lengths: answers.map(({ head }) => head?.length),
      bytes: answers.map(({ body }) => body.length),
      asked: server.requests.map(({ method, headers: { range } }) => [method, range].join(' ').trim()),
      connections: server.connections.made,
    };
  };

  it.each([403, 405, 501])('with %s is asked for one byte, over a connection that is used again', async (status) => {
    expect(await askTwice(status, true)).toEqual({
      lengths: [CONTENT.length, CONTENT.length],
      bytes: [0, 0],
      asked: ['HEAD', 'GET bytes=0-0', 'GET bytes=0-0'],
      // One for HEAD, and one that is used again.
      connections: 2,
    });
  });

  it('and has no ranges is left after its head', async () => {
    const found = await askTwice(405, false);
    expect(found).toMatchObject({ lengths: [CONTENT.length, CONTENT.length], bytes: [0, 0] });
    expect(found.asked).toEqual(['HEAD', 'GET bytes=0-0', 'GET bytes=0-0']);
  });
});
