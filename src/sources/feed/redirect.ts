import { type Access, StreamError } from '../../../pipelines/model/index.ts';
import { sayUrl } from './errors.ts';

/** A URL that a feed can be asked at; anything else is a broken source. */
export const feedUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && isHttp(url)) return url;
  throw new StreamError('SOURCE_BROKEN', 'feed', `not a feed’s URL: “${text}”; expected http://… or https://…`);
};

/** Where a redirect leads (RFC 9110 section 10.2.2), or a StreamError where it may not be followed. */
export const redirectUrl = (from: URL, status: number, location: string | undefined): URL => {
  const refuse = (why: string): never => {
    const text = `${sayUrl(from)} answered ${status} with ${why}`;
    throw new StreamError('TOO_MANY_REDIRECTS', 'feed', text, { sourceStatus: status });
  };
  if (location === undefined) return refuse('no Location to go to');
  // Header fields are read as Latin-1; what stands in a Location beyond ASCII is UTF-8 in practice.
  const text = Buffer.from(location, 'latin1').toString();
  if (!URL.canParse(text, from.href)) return refuse('a Location that is no URL');
  const url = new URL(text, from);
  if (!isHttp(url)) return refuse(`a Location that leads to ${url.protocol}; expected http: or https:`);
  if (from.protocol === 'https:' && url.protocol === 'http:')
    return refuse('a way from https: down to http:, not taken');
  return url;
};

/**
 * What of a source's access holds at a URL: all of it at the origin that it was given for. Elsewhere nothing secret
 * (password, header fields, client certificate) and nothing that widens trust (own CA, no verification): only the way out.
 */
export const accessAt = (url: URL, home: URL, access: Access): Access =>
  url.origin === home.origin ? access : { proxy: access.proxy, connectTimeout: access.connectTimeout };

const isHttp = (url: URL): boolean => url.protocol === 'http:' || url.protocol === 'https:';
