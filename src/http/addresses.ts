import { lookup as dnsLookup } from 'node:dns/promises';
import { isIP, isIPv4 } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { codeOf, messageOf } from '../lib/thrown.ts';
import { UnknownInterfaceError } from './unknown-interface.ts';

/** One socket to listen on, as `server.listen` takes it. */
export interface ListenAddress {
  readonly host: string;
  /** `true` keeps `::` from accepting IPv4 as well. */
  readonly ipv6Only: boolean;
}

export type NetworkInterfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Resolves a host name to its addresses. */
export type Lookup = (name: string) => Promise<readonly string[]>;

interface Local {
  readonly name: string;
  /** With its scope, if it has one. */
  readonly host: string;
  readonly bare: string;
}

const systemLookup: Lookup = async (name) => (await dnsLookup(name, { all: true })).map(({ address }) => address);

// RFC 4007 section 11: a link-local address has no meaning without its interface.
const isLinkLocal = (address: string): boolean => /^fe[89ab][0-9a-f]:/i.test(address);

const localsOf = (interfaces: NetworkInterfaces): readonly Local[] =>
  Object.entries(interfaces).flatMap(([name, infos = []]) =>
    infos.map(({ address }) => ({
      name,
      host: isLinkLocal(address) ? `${address}%${name}` : address,
      bare: address,
    })),
  );

/** All of 127.0.0.0/8 is local, although only 127.0.0.1 is listed (RFC 1122 section 3.2.1.3). */
const isOurs = (address: string, locals: readonly Local[]): boolean =>
  address.startsWith('127.') || locals.some(({ bare, host }) => address === bare || address === host);

/**
 * A wildcard covers the other addresses of its family. If both claimed the same port, the second
 * `listen` would fail.
 */
const withoutOverlap = (hosts: readonly string[]): readonly ListenAddress[] => {
  const distinct = [...new Set(hosts)];
  const kept = distinct.filter((host) => {
    const wildcard = isIPv4(host) ? '0.0.0.0' : '::';
    return host === wildcard || !distinct.includes(wildcard);
  });
  const ipv4Too = kept.some((host) => isIPv4(host));
  return kept.map((host) => ({ host, ipv6Only: host === '::' && ipv4Too }));
};

const literal = (address: string, locals: readonly Local[]): readonly string[] | string => {
  if (!isLinkLocal(address) || address.includes('%')) return [address];
  const scoped = locals.filter(({ bare }) => bare === address.toLowerCase()).map(({ host }) => host);
  if (scoped.length === 1) return scoped;
  return `"${address}" is a link-local address: expected one with its interface, such as ${scoped[0] ?? `${address}%eth0`}`;
};

/**
 * RFC 6761 section 6.3: `localhost` is the loopback, regardless of the resolver. Many hosts files
 * list only one of its two addresses.
 */
const loopback = (locals: readonly Local[]): readonly string[] =>
  locals.filter(({ bare }) => bare === '127.0.0.1' || bare === '::1').map(({ host }) => host);

/** The addresses that an interface item stands for, or the text of its problem. */
const addressesOf = async (
  wanted: string,
  locals: readonly Local[],
  lookup: Lookup,
): Promise<readonly string[] | string> => {
  const own = locals.filter(({ name }) => name === wanted).map(({ host }) => host);
  if (own.length > 0) return own;
  if (wanted.toLowerCase() === 'localhost' && loopback(locals).length > 0) return loopback(locals);
  if (isIP(wanted) !== 0) return literal(wanted, locals);
  try {
    const found = await lookup(wanted);
    const ours = found.filter((address) => isOurs(address, locals));
    // None is known to be local. `listen` decides: the kernel may be set to accept foreign
    // addresses.
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
 * Resolves to the sockets to listen on. Each item of `wanted` is one of these:
 * - the name of a network interface: all its addresses;
 * - an IPv4 or IPv6 address;
 * - a host name, resolved now: its local addresses. `localhost` is 127.0.0.1 and ::1, whichever
 *   exist.
 *
 * Without items, that is everywhere: `::`, which accepts IPv4 as well, or `0.0.0.0` without IPv6.
 * Link-local addresses get their scope (`fe80::1%eth0`). An address that another one covers is left
 * out.
 *
 * Rejects with an {@link UnknownInterfaceError} that names every unknown item and lists the
 * existing interfaces.
 */
export const listenAddresses = async (
  wanted: readonly string[],
  interfaces: NetworkInterfaces = networkInterfaces(),
  lookup: Lookup = systemLookup,
): Promise<readonly ListenAddress[]> => {
  const locals = localsOf(interfaces);
  if (wanted.length === 0)
    return [{ host: locals.some(({ bare }) => bare.includes(':')) ? '::' : '0.0.0.0', ipv6Only: false }];
  const found = await Promise.all(wanted.map((item) => addressesOf(item, locals, lookup)));
  const problems = found.filter((result) => typeof result === 'string');
  if (problems.length > 0) {
    throw new UnknownInterfaceError(
      `cannot listen: ${problems.join('; ')}. This machine has ${inventory(interfaces) || 'no interfaces'}`,
    );
  }
  return withoutOverlap(found.flatMap((result) => (typeof result === 'string' ? [] : result)));
};
