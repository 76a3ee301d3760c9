import { lookup as dnsLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { codeOf, messageOf } from '../lib/thrown.ts';

/** One socket to listen on: what `server.listen` takes. */
export interface ListenAddress {
  readonly host: string;
  /** `true` keeps `::` from taking IPv4 as well. */
  readonly ipv6Only: boolean;
}

export type NetworkInterfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** The addresses of a host name. */
export type Lookup = (name: string) => Promise<readonly string[]>;

/** Says which of the wanted interfaces do not exist, and what there is instead. */
export class UnknownInterfaceError extends Error {
  override readonly name = 'UnknownInterfaceError';
}

interface Local {
  readonly name: string;
  /** With its scope where it has one. */
  readonly host: string;
  readonly bare: string;
}

const systemLookup: Lookup = async (name) => (await dnsLookup(name, { all: true })).map(({ address }) => address);

// RFC 4007 section 11: a link-local address means nothing without the interface that it belongs to.
const isLinkLocal = (address: string): boolean => /^fe[89ab][0-9a-f]:/i.test(address);

const localsOf = (interfaces: NetworkInterfaces): readonly Local[] =>
  Object.entries(interfaces).flatMap(([name, infos = []]) =>
    infos.map(({ address }) => ({
      name,
      host: isLinkLocal(address) ? `${address}%${name}` : address,
      bare: address,
    })),
  );

/** 127.0.0.0/8 is ours as a whole, although only 127.0.0.1 is listed (RFC 1122 section 3.2.1.3). */
const isOurs = (address: string, locals: readonly Local[]): boolean =>
  address.startsWith('127.') || locals.some(({ bare, host }) => address === bare || address === host);

/** Where two addresses claim the same port, the second `listen` fails: a wildcard covers the others of its family. */
const withoutOverlap = (hosts: readonly string[]): readonly ListenAddress[] => {
  const distinct = [...new Set(hosts)];
  const kept = distinct.filter((host) => {
    const wildcard = isIP(host) === 4 ? '0.0.0.0' : '::';
    return host === wildcard || !distinct.includes(wildcard);
  });
  const ipv4Too = kept.some((host) => isIP(host) === 4);
  return kept.map((host) => ({ host, ipv6Only: host === '::' && ipv4Too }));
};

const literal = (address: string, locals: readonly Local[]): readonly string[] | string => {
  if (!isLinkLocal(address) || address.includes('%')) return [address];
  const scoped = locals.filter(({ bare }) => bare === address.toLowerCase()).map(({ host }) => host);
  if (scoped.length === 1) return scoped;
  return `"${address}" is a link-local address: expected one with its interface, such as ${scoped[0] ?? `${address}%eth0`}`;
};

/** RFC 6761 section 6.3: `localhost` is the loopback, whatever the resolver thinks; many a hosts file knows only half of it. */
const loopback = (locals: readonly Local[]): readonly string[] =>
  locals.filter(({ bare }) => bare === '127.0.0.1' || bare === '::1').map(({ host }) => host);

/** The addresses that a wanted interface stands for, or what is wrong with it. */
const addressesOf = async (
  wanted: string,
  locals: readonly Local[],
  lookup: Lookup,
): Promise<readonly string[] | string> => {
  const own = locals.filter(({ name }) => name === wanted).map(({ host }) => host);
  if (own.length > 0) return own;
  if (isIP(wanted) !== 0) return literal(wanted, locals);
  if (wanted.toLowerCase() === 'localhost' && loopback(locals).length > 0) return loopback(locals);
  try {
    const found = await lookup(wanted);
    const ours = found.filter((address) => isOurs(address, locals));
    // None known to be ours: let `listen` be the judge, the kernel may be told to accept foreign addresses.
    return ours.length > 0 ? ours : found;
  } catch (error) {
    const reason = codeOf(error) || messageOf(error);
    return `"${wanted}" is neither a network interface with an address, nor an IP address, nor a host name that resolves (${reason})`;
  }
};

const inventory = (interfaces: NetworkInterfaces): string =>
  Object.entries(interfaces)
    .map(([name, infos = []]) => `${name} (${infos.map(({ address }) => address).join(', ')})`)
    .join(', ');

/**
 * Resolves to the sockets to listen on: each item of `wanted` is the name of a network interface (all its addresses), an IPv4 or
 * IPv6 address, or a host name (resolved now; those of its addresses that this machine has). `localhost` is 127.0.0.1 and ::1,
 * whichever exist. No items mean everywhere: `::`, which takes IPv4 as well, or `0.0.0.0` where there is no IPv6. Link-local
 * addresses get their scope (`fe80::1%eth0`). Nothing is listed that the others already cover.
 * Rejects with an {@link UnknownInterfaceError} that names every unknown item and lists what interfaces there are.
 */
export const listenAddresses = async (
  wanted: readonly string[],
  interfaces: NetworkInterfaces = networkInterfaces(),
  lookup: Lookup = systemLookup,
): Promise<readonly ListenAddress[]> => {
  const locals = localsOf(interfaces);
  if (wanted.length === 0)
    return [{ host: locals.some(({ bare }) => isIP(bare) === 6) ? '::' : '0.0.0.0', ipv6Only: false }];
  const found = await Promise.all(wanted.map((item) => addressesOf(item, locals, lookup)));
  const problems = found.filter((result) => typeof result === 'string');
  if (problems.length > 0) {
    throw new UnknownInterfaceError(
      `cannot listen: ${problems.join('; ')}. This machine has ${inventory(interfaces) || 'no interfaces'}`,
    );
  }
  return withoutOverlap(found.flatMap((result) => (typeof result === 'string' ? [] : result)));
};
