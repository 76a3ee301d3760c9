import { isAbsolute } from 'node:path';
import { throwError } from 'rxjs';
import { type OpenSource, StreamError } from '../../pipelines/model/index.ts';
import { openDisk } from './disk/open.ts';
import { createFeed, type FeedSettings } from './feed/open.ts';

export interface Sources {
  readonly open: OpenSource;
  /** Ends every connection to feeds; transfers that use them fail. */
  close(): Promise<void>;
}

/**
 * Opens any location: `http:` and `https:` URLs over the network, `file:` URLs and absolute paths
 * from disk. Errors with SOURCE_BROKEN for any other URL.
 */
export const createSources = (settings: FeedSettings): Sources => {
  const feed = createFeed(settings);
  const open: OpenSource = (location, ask) => {
    const { url } = location;
    if (isAbsolute(url) || /^file:/i.test(url)) return openDisk(location, ask);
    if (/^https?:/i.test(url)) return feed.open(location, ask);
    const text = `cannot open the URL “${url}”; expected http:, https: or file:`;
    return throwError(() => new StreamError('SOURCE_BROKEN', 'self', text));
  };
  return { open, close: feed.close };
};
