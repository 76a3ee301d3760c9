import { type Access, StreamError } from '../../../pipelines/model/index.ts';
import { parseUrl } from '../../lib/url.ts';
import { sayUrl } from './errors.ts';
import { withoutCredentials } from './mirrors.ts';

/** Parses the URL of a feed; an unusable URL is a broken source. */
export const feedUrl = (text: string): URL => {
  const url = parseUrl(text);
  if (url && isHttp(url) && !LACKS_HOST.test(text)) return url;
  throw new StreamError('SOURCE_BROKEN', 'feed', `not a feed’s URL: “${text}”; expected http://… or https://…`);
};

/**
 * The target of a redirect (RFC 9110 section 10.2.2), or a StreamError if it must not be followed. Nor is
 * one from a folder to its listing, where relative links have another meaning: clients get it.
 */
export const redirectUrl = (from: URL, status: number, location: string | undefined): URL => {
  const refuse = (why: string): never => {
    const text = `${sayUrl(from)} answered ${status} with ${why}`;
    throw new StreamError('TOO_MANY_REDIRECTS', 'feed', text, { sourceStatus: status });
  };
  if (location === undefined) return refuse('no Location');
  // Header fields are decoded as Latin-1, but a non-ASCII Location is UTF-8 in practice.
  const text = Buffer.from(location, 'latin1').toString();
  const url = parseUrl(text, from);
  if (!url || LACKS_HOST.test(text)) return refuse('a Location that is not a URL');
  if (!isHttp(url)) return refuse(`a Location that leads to ${url.protocol}; expected http: or https:`);
  if (from.protocol === 'https:' && url.protocol === 'http:')
    return refuse('a redirect from https: to http:, which is not followed');
  if (url.origin === from.origin && url.pathname === `${from.pathname}/`)
    throw new StreamError(
      'IS_FOLDER',
      'feed',
      `${sayUrl(from)} is a folder: it answered ${status} with its path and a slash`,
      {
        sourceStatus: status,
      },
    );
  return url;
};

/**
 * The part of a source's access that applies to a URL. At the source's own origin that is all of
 * it. Elsewhere it is without credentials.
 */
export const accessAt = (url: URL, home: URL, access: Access): Access =>
  url === home || url.origin === home.origin ? access : withoutCredentials(access);

/** The URL standard would take what follows for the host; HTTP does not (RFC 9110 section 4.2.1). */
const LACKS_HOST = /^https?:(?!\/\/[^/?#])/i;

const isHttp = (url: URL): boolean => url.protocol === 'http:' || url.protocol === 'https:';
