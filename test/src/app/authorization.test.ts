import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openAuthorization } from '../../../src/app/authorization.ts';
import { type SettingOptions, settingsOf } from '../../../src/app/from-settings.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { signed, VECTORS } from '../../support/signed-urls.ts';

const folder = temporaryFolders();

const gateOf = (settings: SettingOptions) => {
  const rsaPub = join(folder(), 'rsa_pub.key');
  writeFileSync(rsaPub, VECTORS.public_key);
  return openAuthorization(settingsOf({ rsaPub, ...settings }));
};

const SIGNED = String(VECTORS.cases[0]?.url);
const REFUSED = expect.objectContaining({ code: 'URL_REFUSED', message: 'the URL is refused: not signed' });

describe('the gate', () => {
  it('checks nothing and reads no key while signed_urls is off', () => {
    const authorization = gateOf({ rsaPub: '/nowhere' });
    expect(authorization.pathFor('/x', '192.0.2.7')).toBe('/x');
    expect(authorization.signatures).toBeUndefined();
  });

  it('checks for proxies only with auth', () => {
    const authorization = gateOf({ signedUrls: 'auth', adminPort: 1 });
    expect(authorization.pathFor('/x', '192.0.2.7')).toBe('/x');
    expect(() => authorization.signatures?.check('/x', '192.0.2.7')).toThrow(REFUSED);
    expect(() => authorization.signatures?.check(SIGNED, '192.0.2.7')).not.toThrow();
  });

  it('checks everything with on, and finds the path behind the prefix that was signed with it', () => {
    const authorization = gateOf({ signedUrls: 'on' });
    expect(authorization.pathFor(SIGNED, '192.0.2.7')).toBe(
      '/var/lib/pulp/content/units/rpm/76/78177c/bear-4.1-1.noarch.rpm',
    );
    expect(() => authorization.pathFor('/x', '192.0.2.7')).toThrow(REFUSED);
    expect(() => authorization.pathFor('x', '192.0.2.7')).toThrow(expect.objectContaining({ code: 'BAD_TARGET' }));
  });

  it('finds the path that was signed, where another one is spelled alike', () => {
    const authorization = gateOf({ signedUrls: 'on' });
    const target = signed('/streamer/a+b').replace('a+b', 'a%2Bb');
    expect(authorization.pathFor(target, '192.0.2.7')).toBe('/a+b');
  });

  it('compares a signature with the target as it was sent', () => {
    const { pathFor } = gateOf({ signedUrls: 'on' });
    const dotted = signed('/streamer/./a');
    expect(pathFor(dotted, '192.0.2.7')).toBe('/./a');
    expect(() => pathFor(dotted.replace('/./', '/'), '192.0.2.7')).toThrow('resource not matched');
    expect(() => pathFor(signed('/streamer/a').replace('/a', '/./a'), '192.0.2.7')).toThrow('resource not matched');
  });

  it('wants somewhere to be asked with auth', () => {
    expect(() => gateOf({ signedUrls: 'auth' })).toThrow(
      'signed_urls is auth: expected an admin_port for proxies to ask; found 0',
    );
  });

  it.each([
    ['nothing', '', '/streamer/a', '/streamer/a'],
    ['nothing, doubled slashes too', '/', '//a', '//a'],
    ['what is there', '/streamer/', '/streamer/a', '/a'],
    ['what is there, however it is written', '/streamer', '/streamer//a/', '/a/'],
    ['what is there in the normal form', '/streamer', '/x/../%73treamer/./a', '/a'],
    ['nothing elsewhere', '/streamer', '/x/../y', '/x/../y'],
    ['all there is', '/streamer/', '/streamer', '/'],
    ['what is there once', '/streamer/', '/streamer/streamer/a', '/streamer/a'],
    ['nothing that only begins like it', '/streamer/', '/streamers/a', '/streamers/a'],
    ['nothing in the middle', '/streamer/', '/a/streamer/b', '/a/streamer/b'],
  ])('removes %s', (_, redirectPath, target, path) => {
    expect(gateOf({ redirectPath }).pathFor(target, '')).toBe(path);
  });
});
