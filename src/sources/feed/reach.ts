import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { promisify } from 'node:util';
import { matcher } from '../../lib/networks.ts';
import { messageOf } from '../../lib/thrown.ts';
import { type AddressKind, kindOfAddress, kindOfName, LINK_LOCAL, plainAddress } from './address-kind.ts';
import { Http1Error } from './http1/errors.ts';

/**
 * Where a feed may lead. Its home is the host that the operator named; that of the URL at hand
 * may be another one, to which the feed has led. Hosts are as in URLs, without brackets.
 */
export interface Reach {
  /**
   * A look-up for connections to a host on behalf of a home. It leaves out the addresses that
   * the feed must not lead to, and fails with ADDRESS_REFUSED if none is left. So it judges the
   * very addresses that are connected to.
   */
  lookupFor(host: string, home: string): LookupFunction;
  /** Throws the same for a host that a proxy would connect to, by its address or its name alone. */
  judgeName(host: string, home: string): void;
}

/** A host without the brackets that a literal address of IPv6 has in a URL. */
export const plainHost = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

type Kinds = ReadonlySet<AddressKind>;

/**
 * Public addresses are open to every feed, and those of a kind to feeds whose home is of that kind,
 * and to all if they are listed. What the home is, its first look-up decides: a name that is public
 * at first and leads to an internal network later was made to (DNS rebinding). A name never makes
 * link-local addresses a home.
 *
 * @param listed addresses, networks in CIDR notation, names of hosts
 */
export const createReach = (listed: readonly string[] = []): Reach => {
  const networks = listed.filter((one) => isIP(one.split('/')[0] ?? '') !== 0);
  const isInListed = matcher(networks);
  const hosts = new Set(listed);
  const isListed = (host: string, address = '') =>
    hosts.has(host) || (isIP(address) !== 0 && (isInListed(address) || isInListed(plainAddress(address))));
  /** One for each host that operators named. */
  const homes = new Map<string, Kinds>();

  const settle = (home: string, found: readonly LookupAddress[]): Kinds => {
    const kinds = homes.get(home) ?? kindsOf(home, found);
    homes.set(home, kinds);
    return kinds;
  };

  const lookup = async (host: string, home: string, options: LookupOptions): Promise<LookupAddress[]> => {
    const found = await addressesOf(host, options);
    const isHome = host === home;
    if (isHome) settle(home, found);
    const open = found.filter(({ address }) => kindOfAddress(address) === 'public' || isListed(host, address));
    if (open.length === found.length) return open;
    const kinds = homes.get(home) ?? settle(home, await ownAddresses(home, found));
    const allowed = found.filter((one) => open.includes(one) || kinds.has(kindOfAddress(one.address)));
    if (allowed.length === 0) throw refused(host, home, found);
    return allowed;
  };

  return {
    lookupFor: (host, home) => (_, options, done) => {
      lookup(host, home, options).then(
        (found) => {
          const [first = { address: '', family: 0 }] = found;
          if (options.all) done(null, found);
          else done(null, first.address, first.family);
        },
        (error) => done(error, []),
      );
    },
    judgeName: (host, home) => {
      if (host === home || isListed(host, host)) return;
      const kind = kindOfHost(host);
      if (kind !== 'public' && kind !== kindOfHost(home)) throw refusal(ledFrom(home), `${host} is ${kind}`);
    },
  };
};

const addressesOf = async (host: string, options: LookupOptions): Promise<LookupAddress[]> =>
  isIP(host) === 0
    ? // Found in its module at each call, as Node's own connections do.
      promisify(dns.lookup)(host, { ...options, all: true })
    : [{ address: host, family: isIP(host) }];

/** The addresses of a home, without which it must not lead to what was found. */
const ownAddresses = (home: string, found: readonly LookupAddress[]): Promise<LookupAddress[]> =>
  addressesOf(home, {}).catch((error: unknown) => {
    throw refusal(`${ledFrom(home)}, whose own address is unknown (${messageOf(error)})`, described(found));
  });

const kindsOf = (home: string, found: readonly LookupAddress[]): Kinds => {
  const kinds = found.map(({ address }) => kindOfAddress(address));
  return new Set(isIP(home) === 0 ? kinds.filter((kind) => kind !== LINK_LOCAL) : kinds);
};

const kindOfHost = (host: string): AddressKind => (isIP(host) === 0 ? kindOfName(host) : kindOfAddress(host));

const refused = (host: string, home: string, found: readonly LookupAddress[]): Http1Error => {
  const kinds = found.map(({ address }) => kindOfAddress(address));
  const own = kinds.every((kind) => kind === LINK_LOCAL)
    ? 'the name of a feed must not lead there'
    : `${home} had addresses of another kind before`;
  return refusal(host === home ? own : ledFrom(home), described(found));
};

const described = (found: readonly LookupAddress[]): string =>
  found.map(({ address }) => `${address} is ${kindOfAddress(address)}`).join(', ');

const ledFrom = (home: string): string => `the feed at ${home} led there`;

const refusal = (subject: string, why: string): Http1Error =>
  new Http1Error('ADDRESS_REFUSED', `${subject}: ${why}; the setting feed_networks can permit it`);
