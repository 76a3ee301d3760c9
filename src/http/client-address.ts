import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP, SocketAddress } from 'node:net';

/** Where a trusted proxy says for whom it asks. Only one is looked at: proxies pass on the others as clients sent them. */
export type ForwardedHeader = 'X-Forwarded-For' | 'Forwarded' | 'X-Real-IP';

export interface Proxies {
  /** Addresses, and networks in CIDR notation (RFC 4632). */
  readonly trusted: readonly string[];
  readonly header: ForwardedHeader;
}

/** Who asks: the peer of the connection and the header fields of its request. */
export interface Asking {
  readonly socket: { readonly remoteAddress?: string | undefined };
  readonly headers: IncomingHttpHeaders;
}

/** An address in its one spelling, an IPv4-mapped one (RFC 4291 section 2.5.5.2) as IPv4, without zone; `undefined` where it is none. */
export const canonicalAddress = (text: string): string | undefined => {
  const family = isIP(text);
  if (family === 0) return undefined;
  const { address } = new SocketAddress({ address: text, family: family === 4 ? 'ipv4' : 'ipv6' });
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address;
};

/** The peer of the connection. */
export const peerAddress = ({ socket: { remoteAddress = '' } }: Asking): string =>
  canonicalAddress(remoteAddress) ?? '';

const familyOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

const matcher = (networks: readonly string[]): ((address: string) => boolean) => {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const plain = canonicalAddress(address) ?? address;
    if (prefix === undefined) list.addAddress(plain, familyOf(plain));
    else list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return (address) => list.check(address, familyOf(address));
};

/** The address of a node identifier (RFC 7239 section 6), its port left out; `undefined` where it is unknown or hidden. */
const addressOf = (node: string): string | undefined => {
  const [, ipv6, ipv4] = /^(?:\[(.*)\]|([\d.]+))(?::\w+)?$/.exec(node) ?? [];
  return canonicalAddress(ipv6 ?? ipv4 ?? node);
};

const PAIR = /^\s*([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)")\s*(?:;|$)/;

/** The `for` of one element of a `Forwarded` field; an empty text where the element is malformed, or does not say. */
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

/** The nodes that a header field names, the nearest last. Repeated fields were joined by Node (RFC 9110 section 5.3). */
const hopsOf = (headers: IncomingHttpHeaders, header: ForwardedHeader): readonly string[] => {
  const value = headers[header.toLowerCase()]?.toString() ?? '';
  // What a client put into quotes may hold commas. Cut there, it is malformed; the element of the proxy itself, at the end, stays whole.
  const elements = value
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
  if (header === 'X-Real-IP') return elements.length === 1 ? elements : [];
  return header === 'Forwarded' ? elements.map(forOf) : elements;
};

/**
 * The address of the client: the peer's, unless that is a trusted proxy; then the nearest one in its header that is no trusted
 * proxy. What stands further away was written by whoever wants us to believe it. Where a proxy names nobody that can be
 * understood, it is the proxy itself; where all are trusted, the furthest of them.
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
