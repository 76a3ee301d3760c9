import { spawnSync } from 'node:child_process';
import { constants, createHash, type KeyObject, privateEncrypt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { signUrl, verifyUrl } from '../../../src/http/signed-url.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { itNeeding } from '../../support/repositories.ts';
import { KEYS, STRANGERS, VECTORS } from '../../support/signed-urls.ts';

const NOW = 1_800_000_000;
const { privateKey, publicKey } = KEYS;
const folder = temporaryFolders();

const verify = (url: string, { remoteIp = '192.0.2.7', now = NOW, key = publicKey } = {}) =>
  verifyUrl(url, { key, remoteIp, now });

const sign = (url: string, options: { key?: KeyObject; expiration?: number; remoteIp?: string } = {}) =>
  signUrl(url, { key: privateKey, expiration: NOW + 90, ...options });

const base64Url = (bytes: string | Buffer): string =>
  Buffer.from(bytes).toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/** A URL signed by hand, with any policy. */
const signedWith = (policy: unknown, path = '/x', wrapping = '304d300906052b0e03021a05000440'): string => {
  const text = base64Url(typeof policy === 'string' ? policy : JSON.stringify(policy));
  const digest = createHash('sha256').update(text).digest('hex');
  const signature = privateEncrypt(
    { key: privateKey, padding: constants.RSA_PKCS1_PADDING },
    Buffer.concat([Buffer.from(wrapping, 'hex'), Buffer.from(digest)]),
  );
  return `${path}?policy=${text};signature=${base64Url(signature)}`;
};

const reasonOf = (url: string, options = {}): string => {
  const verdict = verify(url, options);
  return verdict.valid ? 'valid' : verdict.reason;
};

const POLICY = { resource: '/x', expiration: NOW + 1, extensions: {} };

describe('the vectors of Pulp 2', () => {
  it('are all there', () => expect(VECTORS.cases).toHaveLength(22));

  it.each(VECTORS.cases.map((one) => [one.name, one] as const))('%s', (_, { url, remote_ip, valid, reason }) => {
    const verdict = verify(url, { remoteIp: remote_ip });
    expect(verdict.valid).toBe(valid);
    if (!verdict.valid) expect(verdict.reason.startsWith(String(reason))).toBe(true);
  });
});

describe('verifyUrl', () => {
  it.each<[what: string, url: string, reason: RegExp]>([
    ['neither', '/x', /^not signed$/],
    ['parameters that & separates', sign('/x').replace(';signature', '&signature'), /^not signed$/],
    ['two policies', sign('/x').replace('?', '?policy=e30=;'), /^not signed$/],
    ['two signatures', `${sign('/x')};signature=AAAA`, /^not signed$/],
    ['the policy in the path', '/x;policy=e30=?signature=AAAA', /^not signed$/],
    ['a policy that is not base64', '/x?policy=é;signature=AAAA', /^policy undecodable$/],
    ['a policy without its padding', '/x?policy=e30;signature=AAAA', /^policy undecodable$/],
    ['a policy in the other alphabet', '/x?policy=-_-+;signature=AAAA', /^policy undecodable$/],
    ['a policy with unused bits set', '/x?policy=e31=;signature=AAAA', /^policy undecodable$/],
    ['a signature that is not base64', '/x?policy=e30=;signature=A', /^signature undecodable$/],
    ['an empty signature', '/x?policy=e30=;signature=', /^not authenticated$/],
    ['a signature that is too short', '/x?policy=e30=;signature=AAAA', /^not authenticated$/],
    ['a signature beyond the modulus', `/x?policy=e30=;signature=${'_'.repeat(341)}w==`, /^not authenticated$/],
    ['a digest without its wrapping', signedWith(POLICY, '/x', ''), /^not authenticated$/],
    ['a third wrapping', signedWith(POLICY, '/x', '3021300906052b0e03021a05000440'), /^not authenticated$/],
    ['bytes before the wrapping', signedWith(POLICY, '/x', '00304d300906052b0e03021a05000440'), /^not authenticated$/],
    ['a policy that is null', signedWith('null'), /^policy malformed$/],
    ['a policy that is a list', signedWith([]), /^policy malformed$/],
    ['no resource', signedWith({ ...POLICY, resource: undefined }), /^policy malformed$/],
    ['a resource that is not a text', signedWith({ ...POLICY, resource: 1 }), /^policy malformed$/],
    ['half a second', signedWith({ ...POLICY, expiration: NOW + 1.5 }), /^policy malformed$/],
    ['extensions in a list', signedWith({ ...POLICY, extensions: [] }), /^policy malformed$/],
    ['an unknown extension', signedWith({ ...POLICY, extensions: { a: '192.0.2.7' } }), /^extension a not/],
    [
      'an extension with the name of a property of every object',
      signedWith({ ...POLICY, extensions: { constructor: null } }),
      /^extension constructor not matched/,
    ],
    [
      'a client that is not a text',
      signedWith({ ...POLICY, extensions: { remote_ip: null } }),
      /^extension remote_ip not matched: signed for null$/,
    ],
    ['another query', `${sign('/x?a=1')};b=2`, /^resource not matched: signed for "\/x\?a=1"$/],
    ['a missing query', sign('/x?a=1').replace('a=1;', ''), /^resource not matched/],
    ['a query in the path', sign('/x?a=1').replace('?', '%3F'), /^not signed$/],
    ['another query in another spelling', sign('/x?a=%31').replace('%31', '1'), /^resource not matched/],
    ['a path decoded twice', sign('/a%252Bb').replace('%252B', '+'), /^resource not matched/],
    ['parameters of the path', sign('/x').replace('?', ';v=1?'), /^resource not matched/],
  ])('refuses %s', (_, url, reason) => expect(reasonOf(url)).toMatch(reason));

  it.each([
    ['as it is stored', '/a b+é;1.rpm', '/a%20b+%C3%A9;1.rpm'],
    ['with a bare percent sign', '/100%.rpm', '/100%25.rpm'],
    ['with a percent sign that could be an escape', '/a%2Bb', '/a%2Bb'],
    ['percent-encoded', '/a%20b%2B%C3%A9%3B1.rpm', '/a%20b+é;1.rpm'],
    ['in lower case', '/%c3%a9', '/%C3%A9'],
    ['with a query', '/é?a=%31;b', '/%C3%A9?a=%31;b'],
  ])('accepts a signature over a path %s, if decoded it is the one that is asked for', (_, resource, target) => {
    const [path = '', query = ''] = target.split('?');
    const [, signature] = signedWith({ ...POLICY, resource }).split('?');
    expect(reasonOf(`${path}?${query === '' ? '' : `${query};`}${signature}`)).toBe('valid');
  });

  it('expires exactly at the stated second', () => {
    expect(reasonOf(sign('/x', { expiration: NOW + 1 }))).toBe('valid');
    expect(reasonOf(sign('/x', { expiration: NOW }))).toBe('expired 0 s ago');
    expect(reasonOf(sign('/x', { expiration: NOW - 13 }))).toBe('expired 13 s ago');
  });

  it('refuses a signature without its leading zero', () => {
    const begins = (expiration: number) => {
      const [, url, text] = /^(.*;signature=)(.*)$/.exec(sign('/x', { expiration })) ?? [];
      return { url, signature: Buffer.from(String(text), 'base64url') };
    };
    // One of 256 signatures starts with a zero.
    let expiration = NOW + 1;
    while (begins(expiration).signature[0] !== 0) expiration += 1;
    const { url, signature } = begins(expiration);
    expect(reasonOf(`${url}${base64Url(signature)}`)).toBe('valid');
    expect(reasonOf(`${url}${base64Url(signature.subarray(1))}`)).toBe('not authenticated');
  });

  it('names the first failed check, in Pulp’s order', () => {
    const expiredElsewhere = { resource: '/y', expiration: 1, extensions: { remote_ip: '192.0.2.9' } };
    expect(reasonOf(signedWith(expiredElsewhere))).toMatch(/^expired/);
    expect(reasonOf(signedWith({ ...expiredElsewhere, expiration: NOW + 1 }))).toMatch(/^resource/);
    expect(reasonOf(signedWith({ ...expiredElsewhere, expiration: NOW + 1 }, '/y'))).toMatch(/^extension/);
  });

  it('accepts absolute targets, and parameters in any order', () => {
    const [path = '', policy = '', signature = ''] = sign('/x').split(/[?;]/);
    expect(reasonOf(`http://pulp.example${path}?${policy};${signature}`)).toBe('valid');
    expect(reasonOf(`${path}?${signature};${policy}`)).toBe('valid');
    expect(() => verify('x?policy=a;signature=b')).toThrow(/request target .* is malformed/);
  });

  it.each([
    ['192.0.2.7', '::ffff:192.0.2.7'],
    ['2001:db8::7', '2001:DB8:0:0:0:0:0:7'],
  ])('accepts %s in another spelling', (remoteIp, spelled) => {
    expect(reasonOf(sign('/x', { remoteIp }), { remoteIp: spelled })).toBe('valid');
    expect(reasonOf(sign('/x', { remoteIp: spelled }), { remoteIp })).toBe('valid');
  });

  it('refuses a signature made with another key', () => {
    expect(reasonOf(sign('/x', { key: STRANGERS.privateKey }))).toBe('not authenticated');
    expect(reasonOf(sign('/x'), { key: STRANGERS.publicKey })).toBe('not authenticated');
  });
});

describe('signUrl', () => {
  it.each([
    ['/x', '/x'],
    ['/x?', '/x'],
    ['/x?a=1', '/x?a=1'],
    ['/x?a=1;', '/x?a=1;'],
    ['/x?;', '/x?;'],
    ['/x?a?', '/x?a?'],
    ['/x;v=1', '/x;v=1'],
    ['/%C3%A4', '/%C3%A4'],
    ['https://pulp.example/x?a=1&b=2', '/x?a=1&b=2'],
    ['http://pulp.example', '/'],
    ['http://pulp.example?a', '/?a'],
  ])('signs a URL of %s validly', (url, resource) => {
    const signed = sign(url, { remoteIp: '192.0.2.7' });
    expect(signed.startsWith(url)).toBe(true);
    expect(verify(signed)).toEqual({
      valid: true,
      policy: { resource, expiration: NOW + 90, extensions: { remote_ip: '192.0.2.7' } },
    });
  });

  it.each([
    ['x', /expected a path that starts with \/ or an absolute URL/],
    ['/x y', /expected neither spaces/],
    ['/ä', /expected a percent-encoded URL/],
    ['/x?policy=e30=', /expected a URL that is not signed/],
  ])('refuses %s', (url, message) => expect(() => sign(url)).toThrow(message));
});

describe('any URL', () => {
  const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
  const text = (without: RegExp) => fc.string({ unit: visible.filter((character) => !without.test(character)) });
  const url = fc
    .tuple(text(/[?#]/), fc.option(text(/#/).filter((query) => !/(^|;)(policy|signature)=/.test(query))))
    .map(([path, query]) => `/${path}${query === null ? '' : `?${query}`}`);

  it('is valid once it is signed', () => {
    fc.assert(
      fc.property(url, fc.option(fc.ipV6()), (one, remoteIp) => {
        const signed = sign(one, { remoteIp: remoteIp ?? undefined });
        expect(reasonOf(signed, { remoteIp: remoteIp ?? '192.0.2.7' })).toBe('valid');
      }),
      { numRuns: 50 },
    );
  });

  it('is invalid with any bit flipped', () => {
    fc.assert(
      fc.property(url, fc.nat(), fc.nat(7), (one, at, bit) => {
        const bytes = Buffer.from(sign(one));
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        const altered = bytes.toString('latin1');
        let reason: string;
        try {
          reason = reasonOf(altered);
        } catch (error) {
          reason = (error as { code: string }).code;
        }
        expect(reason).toMatch(
          /^(not signed|not authenticated|(policy|signature) undecodable|resource not matched|BAD_TARGET)/,
        );
      }),
      { numRuns: 1000 },
    );
  });
});

describe('OpenSSL’s own command', () => {
  const openssl = (args: readonly string[], input: Buffer): Buffer => {
    const { status, stdout, stderr } = spawnSync('openssl', ['pkeyutl', ...args], { input });
    if (status !== 0) throw new Error(String(stderr));
    return stdout;
  };
  const keyFile = (pem: string): string => {
    const file = join(folder(), 'some.pem');
    writeFileSync(file, pem);
    return file;
  };
  const digestOf = (policy: string): string => createHash('sha256').update(policy).digest('hex');

  itNeeding(['openssl'])('recovers the expected payload from our signatures', () => {
    const [, policy = '', signature = ''] = /policy=(.*);signature=(.*)$/.exec(sign('/x')) ?? [];
    const recovered = openssl(
      ['-verifyrecover', '-pubin', '-inkey', keyFile(VECTORS.public_key), '-pkeyopt', 'rsa_padding_mode:pkcs1'],
      Buffer.from(signature, 'base64url'),
    );
    expect(recovered.toString('latin1')).toBe(
      `\x30\x4d\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x40${digestOf(policy)}`,
    );
  });

  itNeeding(['openssl'])('makes valid signatures', () => {
    const policy = base64Url(JSON.stringify(POLICY));
    const payload = Buffer.concat([
      Buffer.from('3021300906052b0e03021a05000414', 'hex'),
      Buffer.from(digestOf(policy)),
    ]);
    // Its `-sign` accepts nothing longer than a digest. So the test pads by hand (RFC 8017 section
    // 9.2) and uses the bare operation of the key.
    const padding = Buffer.alloc(256 - 3 - payload.length, 0xff);
    const block = Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), payload]);
    const signature = openssl(
      ['-decrypt', '-inkey', keyFile(VECTORS.private_key), '-pkeyopt', 'rsa_padding_mode:none'],
      block,
    );
    expect(reasonOf(`/x?policy=${policy};signature=${base64Url(signature)}`)).toBe('valid');
  });

  it('does not sign a URL that has two signatures already, which nobody could use', () => {
    expect(() => sign('/x?signature=;signature=')).toThrow(/expected a URL that is not signed/);
    expect(() => sign('/x?policy=;policy=')).toThrow(/expected a URL that is not signed/);
  });
});
