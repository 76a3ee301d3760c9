import { describe, expect, it } from '@jest/globals';
import { followedHosts, mappedHosts } from '../../../src/config/host-kinds.ts';
import { proxiedPaths } from '../../../src/http/proxied.ts';

const ANYBODY = ['0.0.0.0/0', '::/0'];

const pathsFor = (
  { maps = '', hosts = '', publicUrl = '', clients = ANYBODY } = {},
  client = '192.0.2.1',
): ((target: string) => string) => {
  const mapped = mappedHosts.read(maps);
  const named = followedHosts.read(hosts);
  if (!mapped || !named) throw new Error('not a list');
  const { pathFor } = proxiedPaths({ mapped, named, publicUrl, clients });
  return (target) => {
    try {
      return pathFor(target, client);
    } catch (error) {
      return String((error as { readonly code?: string }).code ?? error);
    }
  };
};

const MAPS =
  'deb.example/debian=/debian, ftp.*.deb.example/debian=/debian, deb.example=/rest, own.example:8080=/, [2001:db8::1]/x=/six';

describe('The path of a proxied target', () => {
  it.each([
    ['http://deb.example/debian/pool/a.deb', '/debian/pool/a.deb'],
    ['HTTP://Deb.Example:80/debian/pool/a.deb', '/debian/pool/a.deb'],
    ['http://deb.example./debian/pool/a.deb?x=1', '/debian/pool/a.deb'],
    ['https://deb.example:443/debian/a', '/debian/a'],
    ['http://ftp.de.deb.example/debian/a', '/debian/a'],
    ['http://ftp..deb.example/debian/a', 'HOST_REFUSED'],
    ['http://ftp.deb.example/debian/a', 'HOST_REFUSED'],
    ['http://deb.example/debian', '/debian'],
    ['http://deb.example/debian-security/a', '/rest/debian-security/a'],
    ['http://deb.example/debian/../other', '/rest/other'],
    ['http://deb.example', '/rest/'],
    ['http://own.example:8080/a', '/a'],
    ['http://own.example:8080', '/'],
    ['http://own.example/a', 'HOST_REFUSED'],
    ['http://[2001:DB8::1]/x/a', '/six/a'],
    ['http://deb.example:8080/debian/a', 'HOST_REFUSED'],
    ['http://evil.example/debian/a', 'HOST_REFUSED'],
    ['http://deb.example@evil.example/debian/a', 'BAD_TARGET'],
    ['http://evil.example\\deb.example/debian/a', 'BAD_TARGET'],
    ['http://deb.example:99999/debian/a', 'BAD_TARGET'],
    ['http:///debian/a', 'BAD_TARGET'],
    ['ftp://deb.example/debian/a', 'BAD_TARGET'],
    ['http://HTTPS///deb.example/debian/a', '/debian/a'],
    ['http://HTTPS///evil.example/debian/a', 'HOST_REFUSED'],
    ['/HTTPS///deb.example/debian/a', '/debian/a'],
    ['/deb.example/debian/a', '/debian/a'],
    ['/ftp.fr.deb.example/debian/a', '/debian/a'],
    ['/evil.example/debian/a', '/evil.example/debian/a'],
    ['/debian/a', '/debian/a'],
    ['/', '/'],
  ])('%s is %s', (target, path) => {
    expect(pathsFor({ maps: MAPS })(target)).toBe(path);
  });

  it.each([
    ['http://a.example/x/y', '/a.example/x/y'],
    ['http://A.example:80', '/a.example/'],
    ['http://tls.example/x', '/tls.example/x'],
    ['http://HTTPS///tls.example/x', '/tls.example/x'],
    ['http://b.c.example.org/x', '/b.c.example.org/x'],
    ['http://example.org/x', 'HOST_REFUSED'],
    ['http://a.example:81/x', '/a.example:81/x'],
    ['/a.example/x', '/a.example/x'],
    ['/HTTPS///tls.example/x', '/tls.example/x'],
  ])('%s of a followed host is %s', (target, path) => {
    expect(pathsFor({ hosts: 'a.example, a.example:81, https://tls.example, *.example.org' })(target)).toBe(path);
  });

  it('is the path itself if the host is the streamer’s own', () => {
    const pathOf = pathsFor({ publicUrl: 'http://packages.example:8751' });
    expect(pathOf('http://packages.example:8751/a')).toBe('/a');
    expect(pathOf('http://packages.example/a')).toBe('HOST_REFUSED');
  });

  it('is refused to others than the clients of the proxy, and says which', () => {
    const rules = { maps: MAPS, clients: ['10.0.0.0/8'] };
    expect(pathsFor(rules, '10.1.1.1')('http://deb.example/debian/a')).toBe('/debian/a');
    expect(pathsFor(rules, '192.0.2.1')('http://deb.example/debian/a')).toBe('HOST_REFUSED');
    expect(pathsFor(rules, '192.0.2.1')('/debian/a')).toBe('/debian/a');
  });
});

describe('Lists of hosts', () => {
  it.each([
    '*',
    'a.*',
    '*.*.example',
    'a.example',
    'a.example=b',
    'a.example/x y=/p',
    'u@a.example=/p',
    'a.example=/p?q',
    'http://a.example=/p',
  ])('do not map %s', (text) => {
    expect(mappedHosts.read(text)).toBeUndefined();
  });
  it.each(['*', 'ftp://a.example', 'a.example/x', 'a.example:99999', 'mirror*'])('do not follow %s', (text) => {
    expect(followedHosts.read(text)).toBeUndefined();
  });
  it('are shown as they were written', () => {
    const text = 'deb.example/debian=/debian, ftp.*.deb.example:81=/';
    expect(mappedHosts.format(mappedHosts.read(text) ?? [])).toBe(text);
    const hosts = 'https://a.example, *.b.example:8080';
    expect(followedHosts.format(followedHosts.read(hosts) ?? [])).toBe(hosts);
  });
});
