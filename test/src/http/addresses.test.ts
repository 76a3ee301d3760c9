import { once } from 'node:events';
import { type AddressInfo, createServer, type ListenOptions, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import {
  type ListenAddress,
  type Lookup,
  listenAddresses,
  type NetworkInterfaces,
} from '../../../src/http/addresses.ts';
import { UnknownInterfaceError } from '../../../src/http/unknown-interface.ts';

const v4 = (address: string) =>
  ({ address, internal: false, family: 'IPv4', netmask: '', mac: '', cidr: null }) as const;
const v6 = (address: string) =>
  ({ address, internal: false, family: 'IPv6', netmask: '', mac: '', cidr: null, scopeid: 0 }) as const;

const MACHINE: NetworkInterfaces = {
  lo: [v4('127.0.0.1'), v6('::1')],
  eth0: [v4('192.0.2.2'), v6('2001:db8::2'), v6('fe80::1')],
  eth1: [v6('fe80::1'), v6('fe80::2')],
};
const ONLY_IPV4: NetworkInterfaces = { lo: [v4('127.0.0.1')] };

const NAMES: Readonly<Record<string, readonly string[]>> = {
  'both.example': ['192.0.2.2', '198.51.100.9', '127.0.1.1'],
  'foreign.example': ['198.51.100.9'],
};
const lookup: Lookup = (name) =>
  NAMES[name] ? Promise.resolve(NAMES[name]) : Promise.reject(Object.assign(new Error(name), { code: 'ENOTFOUND' }));

const on = (...hosts: string[]): ListenAddress[] => hosts.map((host) => ({ host, ipv6Only: false }));

const listen = async (options: ListenOptions): Promise<Server> => {
  const server = createServer().listen(options);
  await once(server, 'listening');
  return server;
};

/**
 * Listens on one port at all the addresses; returns their number. If another process has the port
 * at one of them, that is not a defect of the addresses.
 */
const listenTogether = async (addresses: readonly ListenAddress[], tries = 5): Promise<number> => {
  const servers: Server[] = [];
  try {
    for (const address of addresses) {
      const first = servers[0]?.address() as AddressInfo | undefined;
      servers.push(await listen({ ...address, port: first?.port ?? 0 }));
    }
    return servers.length;
  } catch (error) {
    if (tries === 1) throw error;
    return listenTogether(addresses, tries - 1);
  } finally {
    for (const server of servers) server.close();
  }
};

describe('listenAddresses', () => {
  const cases: [name: string, wanted: string[], machine: NetworkInterfaces, expected: ListenAddress[]][] = [
    ['no items mean everywhere', [], MACHINE, on('::')],
    ['no items, without IPv6', [], ONLY_IPV4, on('0.0.0.0')],
    [
      'an interface means all its addresses, including scopes',
      ['eth0'],
      MACHINE,
      on('192.0.2.2', '2001:db8::2', 'fe80::1%eth0'),
    ],
    ['localhost is both loopbacks', ['localhost'], MACHINE, on('127.0.0.1', '::1')],
    ['localhost without IPv6', ['LocalHost'], ONLY_IPV4, on('127.0.0.1')],
    [
      'addresses stay unchanged, also unlisted ones',
      ['127.0.0.9', '2001:db8::99'],
      MACHINE,
      on('127.0.0.9', '2001:db8::99'),
    ],
    ['the local addresses of a host name', ['both.example'], MACHINE, on('192.0.2.2', '127.0.1.1')],
    ['a host name without a local address', ['foreign.example'], MACHINE, on('198.51.100.9')],
    ['a link-local address gets its only scope', ['fe80::2'], MACHINE, on('fe80::2%eth1')],
    ['a link-local address with scope', ['fe80::1%eth1'], MACHINE, on('fe80::1%eth1')],
    ['several, each once', ['lo', 'localhost', '127.0.0.1', '192.0.2.2'], MACHINE, on('127.0.0.1', '::1', '192.0.2.2')],
    ['a wildcard covers its family', ['0.0.0.0', 'lo'], MACHINE, on('0.0.0.0', '::1')],
    ['the IPv6 wildcard alone takes both', ['::', '::1'], MACHINE, on('::')],
    ['and leaves IPv4 to others', ['::', '127.0.0.1'], MACHINE, [{ host: '::', ipv6Only: true }, ...on('127.0.0.1')]],
  ];
  it.each(cases)('%s', async (_, wanted, machine, expected) => {
    expect(await listenAddresses(wanted, machine, lookup)).toEqual(expected);
  });

  const has = 'This machine has lo (127.0.0.1, ::1), eth0 (192.0.2.2, 2001:db8::2, fe80::1), eth1 (fe80::1, fe80::2)';
  const unknown = (name: string) =>
    `"${name}" is neither a network interface with an address, nor an IP address, nor a host name that resolves (ENOTFOUND)`;
  const scope = 'is a link-local address: expected one with its interface, such as';
  const bad: [name: string, wanted: string[], machine: NetworkInterfaces, message: string][] = [
    [
      'unknown names',
      ['lo', 'eth7', 'nowhere'],
      MACHINE,
      `cannot listen: ${unknown('eth7')}; ${unknown('nowhere')}. ${has}`,
    ],
    [
      'a link-local address that several interfaces have',
      ['fe80::1'],
      MACHINE,
      `cannot listen: "fe80::1" ${scope} fe80::1%eth0. ${has}`,
    ],
    [
      'a link-local address that no interface has',
      ['fe80::9'],
      MACHINE,
      `cannot listen: "fe80::9" ${scope} fe80::9%eth0. ${has}`,
    ],
    [
      'no interfaces at all',
      ['localhost'],
      {},
      `cannot listen: ${unknown('localhost')}. This machine has no interfaces`,
    ],
  ];
  it.each(bad)('refuses %s', async (_, wanted, machine, message) => {
    const problem = await listenAddresses(wanted, machine, lookup).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(UnknownInterfaceError);
    expect((problem as Error).message).toBe(message);
  });

  it('uses the system’s resolver', async () => {
    // A label of 64 characters is not a host name (RFC 1035 section 2.3.4): it is refused without
    // asking a server.
    const name = `${'x'.repeat(64)}.invalid`;
    await expect(listenAddresses([name], MACHINE)).rejects.toThrow(
      /^cannot listen: "x+\.invalid" .* \(E[A-Z_]+\)\. This/,
    );
  });

  // The interfaces of this machine. Each wildcard comes with the loopback, because overlapping
  // sockets refuse each other.
  const machine = networkInterfaces();
  const hasIPv6 = Object.values(machine).some((infos) => infos?.some(({ family }) => family === 'IPv6'));
  const real = [
    [],
    ['localhost'],
    ['0.0.0.0', 'localhost'],
    ...(hasIPv6 ? [['::', '127.0.0.1']] : []),
    ...Object.keys(machine).map((name) => [name]),
  ];
  it.each(real.map((wanted) => [wanted]))(
    'returns addresses that servers can listen on together: %j',
    async (wanted) => {
      const addresses = await listenAddresses(wanted);
      expect(addresses).not.toEqual([]);
      await expect(listenTogether(addresses)).resolves.toBe(addresses.length);
    },
  );
});
