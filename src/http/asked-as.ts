import type { IncomingHttpHeaders } from 'node:http';
import { trimBlanks } from '../../pipelines/model/index.ts';
import { matcher } from '../lib/networks.ts';
import { type Asking, peerAddress } from './client-address.ts';

/** What may stand in a URL as host and port (RFC 3986 section 3.2, without userinfo). */
const AUTHORITY = /^(?:[\w.~-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;

interface AskedAsOptions {
  /** The URL at which clients find the catalog's paths; empty if each request shows it. */
  readonly publicUrl: string;
  /** Proxies that may state by which host and scheme their client asks. */
  readonly trusted: readonly string[];
}

interface AskedPath {
  /** Of the target, with the prefix that is removed from it. */
  readonly ofTarget: string;
  readonly ofCatalog: string;
}

export type AskedAs = (asking: Asking, path: AskedPath) => string | undefined;

/** The first of several: the client's own proxy comes first. */
const first = (headers: IncomingHttpHeaders, name: string): string =>
  trimBlanks(headers[name]?.toString().split(',', 1)[0] ?? '');

/**
 * The URL by which the client asks for a target, without query. If no URL is set, it is made of the
 * `Host` field, or of `X-Forwarded-Host` and `X-Forwarded-Proto` if a trusted proxy sends them.
 * Undefined if the request shows no host.
 */
export const askedAs = ({ publicUrl, trusted }: AskedAsOptions): AskedAs => {
  const isTrusted = matcher(trusted);
  return (asking, { ofTarget, ofCatalog }) => {
    if (publicUrl !== '') return `${publicUrl}${ofCatalog}`;
    const { headers } = asking;
    const proxied = isTrusted(peerAddress(asking));
    const host = (proxied && first(headers, 'x-forwarded-host')) || headers.host || '';
    const scheme = proxied && first(headers, 'x-forwarded-proto').toLowerCase() === 'https' ? 'https' : 'http';
    return AUTHORITY.test(host) ? `${scheme}://${host}${ofTarget}` : undefined;
  };
};
