import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP, SocketAddress } from 'node:net';

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

/**
 * An address in its canonical spelling, without zone. An IPv4-mapped address (RFC 4291 section
 * 2.5.5.2) becomes IPv4. `undefined` if the text is not an address.
 */
export const canonicalAddress = (text: string): string | undefined => canonical(text);

/** Answers that are remembered: a proxy in front asks again and again from one address. */
const REMEMBERED = 1_000;

const remembering = <T>(answer: (text: string) => T): ((text: string) => T) => {
  const known = new Map<string, T>();
  return (text) => {
    const answered = known.get(text);
    if (answered !== undefined) return answered;
    const made = answer(text);
    if (known.size >= REMEMBERED) known.clear();
    known.set(text, made);
    return made;
  };
};

const canonical = remembering((text: string): string | undefined => {
  const family = isIP(text);
  if (family === 0) return undefined;
  const { address } = new SocketAddress({ address: text, family: family === 4 ? 'ipv4' : 'ipv6' });
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1] ?? address;
});

/** The peer of the connection. */
export const peerAddress = ({ socket: { remoteAddress = '' } }: Asking): string =>
  canonicalAddress(remoteAddress) ?? '';

const familyOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

export const matcher = (networks: readonly string[]): ((address: string) => boolean) => {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const plain = canonicalAddress(address) ?? address;
    if (prefix === undefined) list.addAddress(plain, familyOf(plain));
    else list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return remembering((address) => list.check(address, familyOf(address)));
};

/**
 * The address of a node identifier (RFC 7239 section 6), without its port; `undefined` if it is
 * unknown or hidden.
 */
const addressOf = (node: string): string | undefined => {
  const [, ipv6, ipv4] = /^(?:\[(.*)\]|([\d.]+))(?::\w+)?$/.exec(node) ?? [];
  return canonicalAddress(ipv6 ?? ipv4 ?? node);
};

const PAIR = /^\s*([\w!#$%&'*+.^`|~-]+)=(?:([\w!#$%&'*+.^`|~-]+)|"((?:[^"\\]|\\.)*)")\s*(?:;|$)/;

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
  const elements = value
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
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
