import { defer, switchMap, throwError } from 'rxjs';
import { type OpenSource, StreamError } from '../../pipelines/model/index.ts';
import { flow, lift } from '../../pipelines/operators/flow.ts';
import { owned } from '../lib/owned.ts';
import { isOnDisk } from '../lib/plain-path.ts';
import { createDisk } from './disk/open.ts';
import type { Feed, FeedSettings } from './feed/open.ts';

/** Opens locations over the network and on disk. See `createSources`. */
export interface Sources extends AsyncDisposable {
  readonly open: OpenSource;
  /** The connections to each origin of feeds. */
  readonly connections: Feed['connections'];
  /** Ends every connection to feeds; transfers that use them fail. Closes files without a reader. */
  close(): Promise<void>;
}

export interface SourceSettings extends FeedSettings {
  /** Folders that every location on disk may lead to, in addition to its root. */
  readonly fileRoots?: readonly string[];
}

interface Options {
  /** Whether chunks may be lent: see `Chunk`. Default: the receiver may keep them. */
  readonly lends?: boolean;
}

/**
 * Opens any location: `http:` and `https:` URLs over the network, `file:` URLs and absolute paths
 * from disk. Errors with SOURCE_BROKEN for any other URL.
 */
export const createSources = (settings: SourceSettings, { lends = false }: Options = {}): Sources => {
  const disk = createDisk(settings.fileRoots);
  let feed: Feed | undefined;
  let loading: Promise<Feed> | undefined;
  // The client for feeds takes as long to load as the rest of the daemon: not for a command that
  // opens none. The daemon loads it as soon as it is ready.
  const load = async (): Promise<Feed> => {
    const { createFeed } = await import('./feed/open.ts');
    feed = createFeed(settings);
    return feed;
  };
  const loaded = (): Promise<Feed> => {
    loading ??= load();
    return loading;
  };
  const lent: OpenSource = (location, ask) => {
    const { url } = location;
    if (isOnDisk(url)) return disk.open(location, ask);
    if (/^https?:/i.test(url))
      return (
        feed?.open(location, ask) ??
        ((valve) => defer(loaded).pipe(switchMap((late) => late.open(location, ask)(valve))))
      );
    const text = `cannot open the URL “${url}”; expected http:, https: or file:`;
    return () => throwError(() => new StreamError('SOURCE_BROKEN', 'self', text));
  };
  const open: OpenSource = lends ? lent : (location, ask) => flow(lent(location, ask), lift(owned()));
  const close = async () => {
    disk.close();
    await (await loading)?.close();
  };
  return { open, connections: () => feed?.connections() ?? [], close, [Symbol.asyncDispose]: close };
};
