import type { FeedSettings } from '../../src/sources/feed/open.ts';

export const feedSettings = (more: Partial<FeedSettings> = {}): FeedSettings => ({
  userAgent: 'pulp-streamer/test',
  connectTimeout: 10_000,
  connections: 100,
  idleTimeout: 4000,
  maxRedirects: 10,
  ...more,
});
