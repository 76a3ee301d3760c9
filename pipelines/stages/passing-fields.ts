import { createRecent } from './health/recent.ts';

/**
 * Which fields of a source may reach a client. Fields pass unless one of two rules forbids it:
 * - a field of the connection with the source, or one that contradicts our own, never passes;
 * - what steers a cache, a proxy or a browser on our host's behalf never passes.
 *
 * So a field that only describes the content passes, and one that only restricts what a browser
 * does with this one response, such as `Content-Security-Policy`. docs/reference/headers.md has the
 * same list.
 */
const DROPPED: ReadonlySet<string> = new Set([
  // The connection: RFC 9110 section 7.6.1. Length and ranges are set by the server.
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'public'],
  ...['content-length', 'content-range', 'accept-ranges'],
  // Credentials are our own, not the public's. Varnish and nginx would not keep a response that sets
  // a cookie.
  ...['set-cookie', 'set-cookie2', 'lsc-cookie', 'www-authenticate', 'authentication-info'],
  // The caches in front keep the content, even if the source forbids it. Freshness begins now, and
  // we always request the same representation.
  ...['expires', 'pragma', 'age', 'date', 'warning'],
  ...['key', 'variants', 'variant-key', 'no-vary-search', 'use-as-dictionary'],
  // Purges by these keys are the operator's.
  ...['xkey', 'ykey', 'x-hashtwo', 'x-magento-tags', 'cdn-tag', 'cache-groups', 'cache-group-invalidation'],
  // Browsers keep these for the whole host, later requests included.
  ...['alt-svc', 'alternate-protocol', 'strict-transport-security', 'public-key-pins', 'expect-ct'],
  ...['clear-site-data', 'accept-ch', 'accept-ch-lifetime', 'critical-ch', 'origin-agent-cluster', 'origin-trial'],
  ...['service-worker-allowed', 'set-login', 'activate-storage-access', 'onion-location', 'nel'],
  // These make browsers report our clients' requests, or fetch something else.
  ...['report-to', 'reporting-endpoints', 'referrer-policy', 'refresh', 'sourcemap', 'x-sourcemap'],
  ...['speculation-rules', 'supports-loading-mode', 'x-dns-prefetch-control'],
  ...['observe-browsing-topics', 'shared-storage-write'],
  // Access of other sites to our host is granted by its operator.
  ...['timing-allow-origin', 'x-permitted-cross-domain-policies', 'document-policy', 'require-document-policy'],
]);

/**
 * More of them, matched by a part of their names. A proxy in front obeys those that begin with a
 * program's name: a feed could have it send one of its own files (`X-Accel-Redirect`,
 * `X-Reproxy-URL`), or consider us out of order (`X-Envoy-Immediate-Health-Check-Fail`).
 */
const DROPPED_KINDS = new RegExp(
  [
    '^proxy-(?!status$)',
    '(^|-)(vary|cache-tags?|cache-control)$',
    '^(surrogate|edge|sec|secure-session|attribution-reporting|access-control|cross-origin)-',
    '-report-only$',
    '^x-sendfile',
    '^x-(accel|archive|envoy|litespeed|lighttpd|reproxy|squid|varnish)(-|$)',
    '^(x-mod-|mod)?pagespeed',
  ].join('|'),
);

/** RFC 9110 section 5.5: a field that breaks this could smuggle another one in. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Links that browsers follow unasked, and that proxies push or send as early hints. A backslash
 * could hide such a relation.
 */
const FETCHED_LINK = /\\|\b(?:(?:module)?preload|prefetch|prerender|preconnect|stylesheet|compression-dictionary)\b/i;

/** Whether a field with this name in lower case, which may pass, may do so with this value. */
export const valueMayPass = (key: string, value: string): boolean =>
  VALUE.test(value) && !(key === 'link' && FETCHED_LINK.test(value));

/** A name in lower case, and whether a field of this name may reach a client. */
interface Decided {
  readonly key: string;
  readonly mayPass: boolean;
}

/** Names recur in the same spelling, so each is decided once. */
export const decide = (name: string): Decided => {
  const known = decided.get(name);
  if (known !== undefined) return known;
  const key = name.toLowerCase();
  const made = { key, mayPass: !DROPPED.has(key) && !DROPPED_KINDS.test(key) && NAME.test(key) };
  decided.set(name, made);
  return made;
};

const decided = createRecent<string, Decided>(1_000);
