import type { IncomingHttpHeaders } from 'node:http';
import { membersOf } from '../../pipelines/model/index.ts';
import { canonicalAddress, matcher } from '../lib/networks.ts';

/**
 * The header in which a trusted proxy names its client. Only one is read: proxies pass the others
 * on as clients sent them.
 */
export type ForwardedHeader = 'X-Forwarded-For' | 'Forwarded' | 'X-Real-IP';

export interface Proxies {
  /** Addresses, and networks in CIDR notation (RFC 4632). */
  readonly trusted: readonly string[];
  readonly header: ForwardedHeader;
}

/** The origin of a request: the peer of the connection, and the request's header fields. */
export interface Asking {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: IncomingHttpHeaders;
}

/** The peer of the connection. */
export const peerAddress = ({ socket: { remoteAddress = '' } }: Asking): string =>
  canonicalAddress(remoteAddress) ?? '';

/**
 * The address of a node identifier (RFC 7239 section 6), without its port; `undefined` if it is
 * unknown or hidden.
 */
const addressOf = (node: string): string | undefined => {
  const [, ipv6, ipv4] = /^(?:\[(.*)\]|([\d.]+))(?::\w+)?$/.exec(node) ?? [];
  return canonicalAddress(ipv6 ?? ipv4 ?? node);
};

const PAIR = /^[ \t]*([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)")[ \t]*(?:;|$)/;

/**
 * The `for` of one element of a `Forwarded` field; empty if the element is malformed or has none.
 */
const forOf = (element: string): string => {
  const found: string[] = [];
  for (let rest = element; rest !== ''; ) {
    const [pair, name, token, quoted = ''] = PAIR.exec(rest) ?? [];
    if (pair === undefined) return '';
    if (name?.toLowerCase() === 'for') found.push(token ?? quoted.replaceAll(/\\(.)/g, '$1'));
    rest = rest.slice(pair.length);
  }
  return found.length === 1 ? (found[0] ?? '') : '';
};

/**
 * The nodes that a header field names, the nearest last. Node has joined repeated fields (RFC 9110
 * section 5.3).
 */
const hopsOf = (headers: IncomingHttpHeaders, header: ForwardedHeader): readonly string[] => {
  const value = headers[header.toLowerCase()]?.toString() ?? '';
  // A client may have sent commas within quotes. An element cut there is malformed. The proxy's own
  // element, at the end, stays whole.
  const elements = membersOf(value);
  if (header === 'X-Real-IP') return elements.length === 1 ? elements : [];
  return header === 'Forwarded' ? elements.map(forOf) : elements;
};

/**
 * The address of the client. That is the peer, unless the peer is a trusted proxy. Then it is the
 * nearest address in the header that is not a trusted proxy: addresses further away may be forged.
 * If a proxy names no address that can be parsed, it is the proxy itself. If all are trusted, it is
 * the furthest of them.
 */
export const clientAddress = ({ trusted, header }: Proxies): ((asking: Asking) => string) => {
  const isTrusted = matcher(trusted);
  return (asking) => {
    let client = peerAddress(asking);
    if (client === '' || !isTrusted(client)) return client;
    for (const node of hopsOf(asking.headers, header).toReversed()) {
      const address = addressOf(node);
      if (address === undefined) break;
      client = address;
      if (!isTrusted(client)) break;
    }
    return client;
  };
};
