import { isIPv6 } from 'node:net';
import { canonicalAddress, matcher } from '../../lib/networks.ts';

/** The kinds of addresses that a feed on another network has no business with. */
const KINDS = {
  /** 0.0.0.0 and :: connect to this machine, too. */
  'an address of this machine': ['127.0.0.0/8', '0.0.0.0/8', '::1', '::'],
  /** In addition to the networks for one link: where clouds give a machine its credentials. */
  'a link-local address, or one of a cloud’s metadata service': [
    '169.254.0.0/16',
    'fe80::/10',
    'fd00:ec2::/32',
    'fd20:ce::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
  ],
  /** RFC 1918, RFC 6598, RFC 4193, RFC 2544, RFC 6890, RFC 8215, and the former fec0::/10. */
  'an address of an internal network': [
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '100.64.0.0/10',
    '198.18.0.0/15',
    '192.0.0.0/24',
    'fc00::/7',
    'fec0::/10',
    '64:ff9b:1::/48',
  ],
  /** Multicast, reserved, Teredo (RFC 4380), and what is discarded (RFC 6666). */
  'not the address of a server': ['224.0.0.0/3', 'ff00::/8', '2001::/32', '100::/64'],
} as const;

export type AddressKind = keyof typeof KINDS | 'public';

export const LINK_LOCAL: AddressKind = 'a link-local address, or one of a cloud’s metadata service';
const LOCAL: AddressKind = 'an address of this machine';
const INTERNAL: AddressKind = 'an address of an internal network';

const matchers = (Object.keys(KINDS) as (keyof typeof KINDS)[]).map((kind) => [kind, matcher(KINDS[kind])] as const);

/** The kind of an address. One of IPv6 that stands for one of IPv4 is of that one's kind. */
export const kindOfAddress = (address: string): AddressKind => {
  const plain = plainAddress(address);
  return matchers.find(([, matches]) => matches(plain))?.[0] ?? 'public';
};

/** An address in its canonical spelling, as the IPv4 address that it stands for if it is one of IPv6. */
export const plainAddress = (address: string): string => {
  const plain = canonicalAddress(address) ?? address;
  return (isIPv6(plain) && withinIpv6(groupsOf(plain))) || plain;
};

/** The eight groups of an IPv6 address. */
const groupsOf = (address: string): readonly number[] => {
  const hexadecimal = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [left = [], right = []] = hexadecimal
    .split('::')
    .map((half) => (half === '' ? [] : half.split(':').map((group) => Number.parseInt(group, 16))));
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
};

/**
 * The IPv4 address within one of IPv6: mapped, translated (RFC 2765) and compatible (RFC 4291
 * section 2.5.5), NAT64 (RFC 6052), 6to4 (RFC 3056).
 */
const withinIpv6 = (groups: readonly number[]): string | undefined => {
  const [first, second = 0, third = 0] = groups;
  const [high = 0, low = 0] = groups.slice(6);
  const front = groups
    .slice(0, 6)
    .map((group) => group.toString(16))
    .join(':');
  if (['0:0:0:0:0:ffff', '0:0:0:0:ffff:0', '64:ff9b:0:0:0:0'].includes(front)) return dotted(high, low);
  if (front === '0:0:0:0:0:0' && (high > 0 || low > 1)) return dotted(high, low);
  return first === 0x2002 ? dotted(second, third) : undefined;
};

const dotted = (high: number, low: number): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');

/**
 * The kind of network that a name is used in, as far as the name shows it: for a proxy, which does
 * the look-up. Names without a dot are those of an internal network.
 */
export const kindOfName = (name: string): AddressKind => {
  const plain = name.replace(/\.$/, '').toLowerCase();
  if (/(^|\.)localhost(\.localdomain)?$|^ip6-(localhost|loopback)$/.test(plain)) return LOCAL;
  if (/^(metadata|instance-data)(\.|$)/.test(plain) && /^[^.]+$|\.internal$/.test(plain)) return LINK_LOCAL;
  return /^[^.]+$|\.(internal|intranet|private|corp|home|lan|local|home\.arpa)$/.test(plain) ? INTERNAL : 'public';
};
