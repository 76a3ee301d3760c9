import { afterEach } from '@jest/globals';
import type { SettingOptions } from '../../src/banks.ts';
import { digestOf, someBytes } from './collect.ts';
import type { startFeed } from './feeds.ts';
import { temporaryFolders } from './folder.ts';
import { type HalvesFeed, startHalves } from './halves.ts';
import { closedFeeds } from './site-feeds.ts';
import { until } from './until.ts';
import { startWireSite } from './wire.ts';

interface Content {
  readonly body: Buffer;
  readonly sha256: string;
}

/** What a proxy stands in front of: a streamer, whose feed sends second halves as it is told. */
export interface Origin {
  /** Without a slash at its end. */
  readonly url: string;
  readonly feed: HalvesFeed;
  /** From now on there is random content at a path, with its checksum in the catalog; `unmeasured`: nobody tells its length or its checksum. */
  offer(path: string, size?: number, how?: 'unmeasured'): Content;
  /** In the catalog, but not at the feed. */
  promise(path: string): void;
  /** How often the streamer was asked for a path, and is done with it. */
  served(path: string): number;
  /** Resolves to the streamer's lines about its requests for a path, once there are so many. */
  logged(path: string, count?: number): Promise<readonly Readonly<Record<string, unknown>>[]>;
  stop(): Promise<void>;
}

/** Larger than what is checked whole before its head (`verify_whole_below`), and than the buffers of sockets and proxies. */
const LARGE = 4 << 20;

/** Opens origins that are gone after the test. */
export const openOrigins = (): ((options?: SettingOptions) => Promise<Origin>) => {
  const startFeed = closedFeeds();
  const opened: Origin[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((origin) => origin.stop())));
  // After they have stopped, for hooks run in the order in which they are made.
  const folder = temporaryFolders();
  return async (options) => {
    const origin = await startOrigin(startFeed, folder(), options);
    opened.push(origin);
    return origin;
  };
};

/** Keeps no copies, so that whoever asks is served from the feed, and is quick to give up. */
const startOrigin = async (
  start: typeof startFeed,
  stateDir: string,
  options: SettingOptions = {},
): Promise<Origin> => {
  const feed = await startHalves(start);
  const { daemon, list, log } = await startWireSite(stateDir, {
    dispatch: 'none',
    retryWait: 0.01,
    cooldown: 0,
    ...options,
  });
  const lines = (path: string) => log.filter((line) => line.msg === 'request' && line.path === path);
  let stopped: Promise<void> | undefined;
  return {
    url: `http://127.0.0.1:${daemon.addresses[0]?.port}`,
    feed,
    offer: (path, size = LARGE, how) => {
      const body = someBytes(size);
      const sha256 = digestOf(body);
      feed.put(path, body, how ? 'chunked' : 'length');
      list(path, [feed.url + path], how ? {} : { checksum: { algorithm: 'sha256', value: sha256 } });
      return { body, sha256 };
    },
    promise: (path) => list(path, [feed.url + path]),
    served: (path) => lines(path).length,
    logged: async (path, count = 1) => {
      await until(() => lines(path).length >= count);
      return lines(path);
    },
    stop: () => {
      stopped ??= daemon.stop();
      return stopped;
    },
  };
};
