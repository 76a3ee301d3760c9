import { afterEach } from '@jest/globals';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { askWhole } from './clients.ts';
import { digestOf, someBytes } from './collect.ts';
import type { startFeed } from './feeds.ts';
import { temporaryFolders } from './folder.ts';
import { type FeedFile, type HalvesFeed, startHalves } from './halves.ts';
import { closedFeeds } from './site-feeds.ts';
import { until } from './until.ts';
import { startWireSite } from './wire.ts';

interface Content {
  readonly body: Buffer;
  readonly sha256: string;
}

/**
 * The properties of content. Default: the feed states its length, and the catalog has its checksum.
 */
interface Known extends Partial<FeedFile> {
  readonly checksum?: boolean;
  /** Whether the catalog has its size. */
  readonly size?: boolean;
}

/** Neither length nor checksum is known. */
const UNMEASURED: Known = { framing: 'chunked', checksum: false };

/** The upstream of a proxy: a streamer whose feed sends second halves on command. */
export interface Origin {
  /** Without a slash at its end. */
  readonly url: string;
  readonly feed: HalvesFeed;
  /**
   * Puts content at a path, random unless given, in place of any other. `unmeasured`: neither
   * length nor checksum is known.
   */
  offer(path: string, size?: number, how?: 'unmeasured' | Known): Content;
  /** Catalogues a path at any URL. */
  list(path: string, url: string, sha256?: string): void;
  /** Catalogues a path that the feed does not have. */
  promise(path: string): void;
  /** Removes a path from the catalog and the feed. */
  remove(path: string): void;
  /** Resolves once the streamer has a copy of a path's content. Needs `dispatch: 'save'`. */
  copied(path: string): Promise<void>;
  /** The number of finished requests for a path. */
  served(path: string): number;
  /**
   * Resolves to `count` log lines of the streamer about requests for a path, once they were
   * written.
   */
  logged(path: string, count?: number): Promise<readonly Readonly<Record<string, unknown>>[]>;
  stop(): Promise<void>;
}

/**
 * Larger than content verified before its head (`verify_whole_below`), and than the buffers of
 * sockets and proxies.
 */
const LARGE = 4 << 20;

/** Opens origins that are closed after the test. */
export const openOrigins = (): ((options?: SettingOptions) => Promise<Origin>) => {
  const startFeed = closedFeeds();
  const opened: Origin[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((origin) => origin.stop())));
  // Removed after the origins have stopped, because hooks run in the order of their creation.
  const folder = temporaryFolders();
  return async (options) => {
    const origin = await startOrigin(startFeed, folder(), options);
    opened.push(origin);
    return origin;
  };
};

/** Keeps no copies, so that every client is served from the feed, and gives up quickly. */
const startOrigin = async (
  start: typeof startFeed,
  stateDir: string,
  options: SettingOptions = {},
): Promise<Origin> => {
  const feed = await startHalves(start);
  const site = await startWireSite(stateDir, {
    dispatch: 'none',
    retryWait: 0.01,
    cooldown: 0,
    ...options,
  });
  const { daemon } = site;
  const lines = (path: string) => site.log.filter((line) => line.msg === 'request' && line.path === path);
  const { importers, entries } = daemon.streamer.catalog;
  const importerId = importers.add({ config: {} }).id;
  const list = (path: string, sha256?: string, size?: number, url = feed.url + path) =>
    entries.add({
      ...{ path, importerId, unitId: path, unitTypeId: 'iso', url, data: {} },
      ...(size === undefined ? {} : { size }),
      ...(sha256 === undefined ? {} : { checksum: { algorithm: 'sha256', value: sha256 } }),
    });
  const url = `http://127.0.0.1:${daemon.addresses[0]?.port}`;
  let stopped: Promise<void> | undefined;
  return {
    url,
    copied: async (path) => {
      const saved = () => site.log.filter((line) => line.msg === 'saved' && line.path === path).length;
      const before = saved();
      const { headers } = await askWhole(url + path);
      if (!/;hit$/.test(String(headers['cache-status']))) await until(() => saved() > before);
    },
    feed,
    offer: (path, size = LARGE, how = {}) => {
      const { checksum = true, size: sized = false, ...file } = how === 'unmeasured' ? UNMEASURED : how;
      const body = file.bytes ?? someBytes(size);
      const sha256 = digestOf(body);
      feed.put(path, { framing: 'length', ...file, bytes: body });
      list(path, checksum ? sha256 : undefined, sized ? body.length : undefined);
      return { body, sha256 };
    },
    list: (path, url, sha256) => list(path, sha256, undefined, url),
    promise: (path) => list(path),
    remove: (path) => {
      feed.drop(path);
      entries.remove(path);
    },
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
