import { isAbsolute } from 'node:path';
import { throwError } from 'rxjs';
import { type OpenSource, StreamError } from '../../pipelines/model/index.ts';
import { openDisk } from './disk/open.ts';
import { createFeed, type FeedSettings } from './feed/open.ts';

export interface Sources {
  readonly open: OpenSource;
  /** Ends every connection to feeds; transfers that still run on them fail. */
  close(): Promise<void>;
}

/**
 * Every kind of source behind one port: `http:` and `https:` URLs are asked over the network, `file:` URLs and absolute paths read from disk.
 * A candidate with a known problem fails with it at once; one with another kind of URL with SOURCE_BROKEN.
 */
export const createSources = (settings: FeedSettings): Sources => {
  const feed = createFeed(settings);
  const open: OpenSource = (candidate, ask) => {
    const { problem, url, source } = candidate;
    if (problem) return throwError(() => problem);
    if (isAbsolute(url) || /^file:/i.test(url)) return openDisk(candidate, ask);
    if (/^https?:/i.test(url)) return feed.open(candidate, ask);
    const text = `${source} has the URL “${url}”; expected http:, https: or file:`;
    return throwError(() => new StreamError('SOURCE_BROKEN', 'self', text));
  };
  return { open, close: feed.close };
};
