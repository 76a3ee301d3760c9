import { describe, expect, it } from '@jest/globals';
import { handOverTo } from '../../../src/http/hand-over.ts';
import { at } from '../../support/collect.ts';

const ACCEL = {
  'x-sendfile-type': 'X-Accel-Redirect',
  'x-accel-mapping': '/srv/a/=/_a/, /srv/b=/_b',
  via: '1.1 nginx',
};
const PATHS = { 'x-sendfile-type': 'x-sendfile' };

const fieldFor = (url: string, headers = {}, remoteAddress = '127.0.0.1') =>
  handOverTo(['127.0.0.1', '2001:db8::/32'])({ socket: { remoteAddress }, headers })?.(at(url));

describe('handOverTo', () => {
  it('names a file below a folder by its location, percent-encoded', () => {
    const names = {
      '/srv/a/x.rpm': '/_a/x.rpm',
      'file:///srv/a/x.rpm': '/_a/x.rpm',
      '/srv/b/deep/x': '/_b/deep/x',
      '/srv/a/ä +?%#.rpm': '/_a/%C3%A4%20%2B%3F%25%23.rpm',
      'file:///srv/a/%C3%A4%2520.rpm': '/_a/%C3%A4%2520.rpm',
      '/srv/a/\r\nx': '/_a/%0D%0Ax',
      '/srv/a/sub/../x': '/_a/x',
    };
    for (const [url, expected] of Object.entries(names))
      expect(fieldFor(url, ACCEL)).toEqual(['X-Accel-Redirect', expected]);
  });

  it.each(['/srv/c/x', '/srv/a/../c/x', '/srv/bb/x', '/srv/a', 'http://host/srv/a/x', 'file://host/srv/a/x'])(
    'does not name %j',
    (url) => expect(fieldFor(url, ACCEL)).toBeUndefined(),
  );

  it('names a file by its path for proxies that know X-Sendfile', () =>
    expect(fieldFor('/any/x y', PATHS)).toEqual(['X-Sendfile', '/any/x%20y']));

  it.each([
    ['a peer that does not ask', { via: '1.1 nginx' }],
    ['an unknown type', { ...ACCEL, 'x-sendfile-type': 'X-Other' }],
    ['a cache between', { ...ACCEL, via: '1.1 nginx, 1.1 squid' }],
    ['a proxy that does not name itself', { ...ACCEL, via: undefined }],
    ['a name that only ends like it', { ...ACCEL, via: '1.1 mynginx' }],
    ['a cache behind Apache', { ...PATHS, via: '1.1 varnish' }],
    ['no mapping', { ...ACCEL, 'x-accel-mapping': undefined }],
    ['malformed mappings', { ...ACCEL, 'x-accel-mapping': '/srv/a/, srv/a=/x, /srv/a=x, /srv/a=/x=/y' }],
  ])('names nothing for %s', (_, headers) => expect(fieldFor('/srv/a/x.rpm', headers)).toBeUndefined());

  // Took minutes while `nginx` was looked for behind each of them.
  it('looks at the last of many members of Via alone', () => {
    const many = ','.repeat(2 ** 20);
    expect(fieldFor('/srv/a/x', { ...ACCEL, via: `1.1 nginx${many}1.1 squid` })).toBeUndefined();
    expect(fieldFor('/srv/a/x', { ...ACCEL, via: `1.1 squid${many}1.1 nginx` })).toBeDefined();
  });

  it('names nothing for another peer', () => expect(fieldFor('/srv/a/x.rpm', ACCEL, '127.0.0.2')).toBeUndefined());

  it('knows proxies by their networks, and by either spelling', () => {
    expect(fieldFor('/srv/a/x', ACCEL, '2001:db8::7')).toBeDefined();
    expect(fieldFor('/srv/a/x', ACCEL, '::ffff:127.0.0.1')).toBeDefined();
  });
});
