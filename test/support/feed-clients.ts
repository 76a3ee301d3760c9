import { afterAll, beforeAll } from '@jest/globals';
import type { Location } from '../../pipelines/model/index.ts';
import type { Feed } from '../../src/sources/feed/open.ts';
import { startOn, type TestFeed } from './feeds.ts';
import { forwardProxy } from './forward-proxy.ts';

/**
 * The two clients for feeds, which pass the same tests. undici is the one for proxies: here an HTTP
 * server is its own proxy, so that it answers byte by byte, and HTTPS goes through a tunnel.
 */
export const FEED_CLIENTS = ['by our own client', 'by undici, through a proxy'] as const;
export type FeedClient = (typeof FEED_CLIENTS)[number];

/** Returns what lets a feed use one of the clients for all that it opens. For a `describe` block. */
export const feedClient = (client: FeedClient): ((feed: Feed) => Feed) => {
  if (client === 'by our own client') return (feed) => feed;
  let proxy: TestFeed;
  beforeAll(async () => {
    proxy = await startOn(forwardProxy().server);
  });
  afterAll(() => proxy.close());
  const proxied = (location: Location): Location => {
    if (!/^https?:\/\/./.test(location.url)) return location;
    const { protocol, host } = new URL(location.url);
    const url = protocol === 'http:' ? `http://${host}` : proxy.url;
    return { ...location, access: { proxy: { url }, ...location.access } };
  };
  return (feed) => ({ ...feed, open: (location, ask) => feed.open(proxied(location), ask) });
};
