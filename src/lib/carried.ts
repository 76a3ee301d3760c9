/**
 * What a bundle has brought has a URL at this host, which does not exist (RFC 6761 section 6.4): the
 * machine may have no line, and a bundle must not lead it anywhere.
 */
const NOWHERE = 'http://bundle.invalid/';

/** The URL that stands for one of a feed. */
export const carriedUrl = (url: string): string => NOWHERE + url.replace(/^[a-z]+:\/+/i, '');

/** Whether nothing can be fetched by a URL, because a bundle has brought it. */
export const isCarried = (url: string): boolean => url.startsWith(NOWHERE);
