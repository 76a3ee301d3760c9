import type { Candidate, Head, Header, Policy } from '../model/index.ts';
import type { JudgedHead } from './verify-whole.ts';

/**
 * What belongs to the connection with the source, or contradicts what we say ourselves, and so must not reach a client.
 * Hop-by-hop: RFC 9110 section 7.6.1. Caching: the caches in front shall keep the content, whatever the source said of it
 * (`Date` too: freshness begins now; `Vary` too: we always ask for the same representation), in fields of their own too (RFC 9213).
 * Cookies and authentication belong to our own credentials, not to the public; Varnish and nginx would not keep a response that sets one.
 * What speaks of the source's host would be taken to speak of ours. Length and ranges are the server's own to say.
 */
const DROPPED: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'public'],
  ...['cache-control', 'expires', 'pragma', 'age', 'date', 'vary', 'warning', 'surrogate-control', 'edge-control'],
  ...['set-cookie', 'set-cookie2', 'www-authenticate', 'authentication-info'],
  ...['alt-svc', 'strict-transport-security', 'clear-site-data'],
  ...['x-sendfile', 'x-sendfile2', 'x-lighttpd-send-file'],
  ...['content-length', 'accept-ranges'],
]);

/**
 * The same of fields that share a part of their names. A proxy in front obeys `X-Accel-…`, as it does the fields about sending files above:
 * a feed could have it serve a file of its own instead, or keep a response for as long as the feed likes.
 */
const DROPPED_KINDS = /^proxy-(?!status$)|^x-accel-|-cache-control$/;

/** RFC 9110 section 5.5: a field that breaks this could smuggle another one in. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The head that the client gets: what the source said, less what is not for clients, with our own Cache-Control. */
export const clientHead = (
  head: JudgedHead,
  candidate: Candidate,
  { cacheTimeout }: Pick<Policy, 'cacheTimeout'>,
): Head => {
  const { checksum } = candidate.entry;
  const named = namedByConnection(head.headers);
  const passes = ([name, value]: Header) => {
    const key = name.toLowerCase();
    if (DROPPED.has(key) || DROPPED_KINDS.test(key) || named.has(key) || !NAME.test(name) || !VALUE.test(value))
      return false;
    // With a checksum the raw bytes are the file itself: a content coding would make clients spoil it, and one entity tag
    // serves all sources.
    return !(checksum && (key === 'content-encoding' || key === 'etag'));
  };
  return {
    type: 'head',
    length: head.length ?? candidate.entry.size,
    candidate,
    verified: head.verified,
    headers: [
      ...head.headers.filter(passes),
      ...(checksum ? [['ETag', `"${checksum.value}"`] as const] : []),
      ['Cache-Control', `public, s-maxage=${cacheTimeout}, max-age=${cacheTimeout}`],
    ],
  };
};

const namedByConnection = (headers: readonly Header[]): ReadonlySet<string> =>
  new Set(
    headers
      .filter(([name]) => name.toLowerCase() === 'connection')
      .flatMap(([, value]) => value.split(',').map((option) => option.trim().toLowerCase())),
  );
