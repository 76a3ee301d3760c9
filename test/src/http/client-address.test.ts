import { describe, expect, it } from '@jest/globals';
import { clientAddress, type ForwardedHeader } from '../../../src/http/client-address.ts';
import { canonicalAddress } from '../../../src/lib/networks.ts';

const PROXIES = ['127.0.0.1', '::1', '10.0.0.0/8', '2001:db8:1::/48'];

const client = (remoteAddress: string | undefined, header: ForwardedHeader, value: string | undefined, more = {}) =>
  clientAddress({ trusted: PROXIES, header })({
    socket: { remoteAddress },
    headers: { [header.toLowerCase()]: value, ...more },
  });

describe('canonicalAddress', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:c000:207', '192.0.2.7'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['127.1', undefined],
    ['192.0.2.07', undefined],
    ['unknown', undefined],
    ['', undefined],
  ])('%s → %s', (text, address) => expect(canonicalAddress(text)).toBe(address));
});

describe('clientAddress', () => {
  const cases: [
    what: string,
    peer: string | undefined,
    header: ForwardedHeader,
    value: string | undefined,
    client: string,
  ][] = [
    ['a local client', '192.0.2.7', 'X-Forwarded-For', undefined, '192.0.2.7'],
    ['a client that pretends to be a proxy', '192.0.2.7', 'X-Forwarded-For', '198.51.100.1', '192.0.2.7'],
    ['a client on a dual-stack socket', '::ffff:192.0.2.7', 'X-Forwarded-For', '198.51.100.1', '192.0.2.7'],
    ['a closed connection', undefined, 'X-Forwarded-For', '198.51.100.1', ''],
    ['a proxy that names no client', '127.0.0.1', 'X-Forwarded-For', undefined, '127.0.0.1'],
    ['a proxy with an unusable header', '127.0.0.1', 'X-Forwarded-For', ' , ,', '127.0.0.1'],
    ['the client of a proxy', '127.0.0.1', 'X-Forwarded-For', '192.0.2.7', '192.0.2.7'],
    ['the client of a proxy on a dual-stack socket', '::ffff:10.1.2.3', 'X-Forwarded-For', '192.0.2.7', '192.0.2.7'],
    ['the client of two proxies', '::1', 'X-Forwarded-For', '192.0.2.7, 10.9.9.9', '192.0.2.7'],
    ['a client that names another', '127.0.0.1', 'X-Forwarded-For', '198.51.100.1, 192.0.2.7', '192.0.2.7'],
    ['a client that names a proxy', '127.0.0.1', 'X-Forwarded-For', '10.0.0.1, 192.0.2.7', '192.0.2.7'],
    ['a proxy that is not trusted', '127.0.0.1', 'X-Forwarded-For', '198.51.100.1, 192.0.2.7, 10.0.0.1', '192.0.2.7'],
    ['proxies alone: the furthest', '127.0.0.1', 'X-Forwarded-For', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['a client that its proxy hides', '127.0.0.1', 'X-Forwarded-For', '192.0.2.7, unknown', '127.0.0.1'],
    ['a client that its second proxy hides', '127.0.0.1', 'X-Forwarded-For', 'unknown, 10.0.0.1', '10.0.0.1'],
    ['rubbish', '127.0.0.1', 'X-Forwarded-For', '192.0.2.7, 127.1', '127.0.0.1'],
    ['ports', '127.0.0.1', 'X-Forwarded-For', '192.0.2.7:4711', '192.0.2.7'],
    ['IPv6', '127.0.0.1', 'X-Forwarded-For', '192.0.2.7, 2001:DB8:2::1, 2001:db8:1::1', '2001:db8:2::1'],
    ['IPv6 with a port', '127.0.0.1', 'X-Forwarded-For', '[2001:db8:2::1]:4711', '2001:db8:2::1'],
    ['Forwarded', '127.0.0.1', 'Forwarded', 'for=192.0.2.7;proto=https;by=203.0.113.43', '192.0.2.7'],
    ['Forwarded, in any case', '127.0.0.1', 'Forwarded', 'proto=https; For=192.0.2.7', '192.0.2.7'],
    ['Forwarded, quoted', '127.0.0.1', 'Forwarded', 'For="[2001:db8:cafe::17]:4711"', '2001:db8:cafe::17'],
    [
      'Forwarded, several',
      '127.0.0.1',
      'Forwarded',
      'for=198.51.100.1, for=192.0.2.7;a="b\\"c", for=10.0.0.1',
      '192.0.2.7',
    ],
    ['Forwarded, hidden', '127.0.0.1', 'Forwarded', 'for=192.0.2.7, for=_hidden', '127.0.0.1'],
    ['Forwarded, unknown', '127.0.0.1', 'Forwarded', 'for=192.0.2.7, for="unknown"', '127.0.0.1'],
    ['Forwarded without a client', '127.0.0.1', 'Forwarded', 'for=192.0.2.7, by=10.0.0.1', '127.0.0.1'],
    ['Forwarded with two clients', '127.0.0.1', 'Forwarded', 'for=192.0.2.7;for=192.0.2.8', '127.0.0.1'],
    ['a malformed Forwarded', '127.0.0.1', 'Forwarded', 'for=192.0.2.7;;', '127.0.0.1'],
    ['a client that leaves a quote open', '127.0.0.1', 'Forwarded', 'for="198.51.100.1, for=192.0.2.7', '192.0.2.7'],
    [
      'a client with a comma in its quotes',
      '127.0.0.1',
      'Forwarded',
      'for=192.0.2.7;host="a,for=198.51.100.1"',
      '127.0.0.1',
    ],
    [
      'a client with a for in its quotes',
      '127.0.0.1',
      'Forwarded',
      'host="a;for=198.51.100.1";for=192.0.2.7',
      '192.0.2.7',
    ],
    ['X-Real-IP', '127.0.0.1', 'X-Real-IP', '192.0.2.7', '192.0.2.7'],
    ['X-Real-IP twice', '127.0.0.1', 'X-Real-IP', '192.0.2.7, 198.51.100.1', '127.0.0.1'],
  ];
  it.each(cases)('%s', (_, peer, header, value, expected) => expect(client(peer, header, value)).toBe(expected));

  it('reads only the configured header', () => {
    const others = { forwarded: 'for=198.51.100.1', 'x-real-ip': '198.51.100.1' };
    expect(client('127.0.0.1', 'X-Forwarded-For', '192.0.2.7', others)).toBe('192.0.2.7');
    expect(client('127.0.0.1', 'X-Forwarded-For', undefined, others)).toBe('127.0.0.1');
    expect(client('127.0.0.1', 'Forwarded', undefined, { 'x-forwarded-for': '198.51.100.1' })).toBe('127.0.0.1');
  });

  it('trusts no proxy by default', () => {
    const clientOf = clientAddress({ trusted: [], header: 'X-Forwarded-For' });
    expect(clientOf({ socket: { remoteAddress: '::1' }, headers: { 'x-forwarded-for': '192.0.2.7' } })).toBe('::1');
  });

  it('does not confuse addresses, however many there are', () => {
    const clientOf = clientAddress({ trusted: ['10.0.0.0/9'], header: 'X-Forwarded-For' });
    const addresses = Array.from({ length: 3_000 }, (_, i) => `10.${i % 256}.${i >> 8}.7`);
    for (const address of [...addresses, ...addresses]) {
      const isTrusted = Number(address.split('.')[1]) < 128;
      const client = clientOf({
        socket: { remoteAddress: `::ffff:${address}` },
        headers: { 'x-forwarded-for': '192.0.2.7' },
      });
      expect(client).toBe(isTrusted ? '192.0.2.7' : address);
    }
  });
});
