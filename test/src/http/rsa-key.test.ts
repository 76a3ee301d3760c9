import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readPrivateKey, readPublicKey } from '../../../src/http/rsa-key.ts';
import { temporaryFolders } from '../../support/folder.ts';
import { KEYS, VECTORS } from '../../support/signed-urls.ts';

const folder = temporaryFolders();

const file = (content: string): string => {
  const path = join(folder(), 'some.key');
  writeFileSync(path, content);
  return path;
};

const pem = (type: 'rsa' | 'ed25519', bits = 2048, passphrase?: string): string => {
  const privateKeyEncoding = {
    type: 'pkcs8',
    format: 'pem',
    ...(passphrase && { cipher: 'aes-256-cbc', passphrase }),
  } as const;
  const publicKeyEncoding = { type: 'spki', format: 'pem' } as const;
  const pair =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: bits, publicKeyEncoding, privateKeyEncoding })
      : generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding });
  return pair.privateKey;
};

describe('readPublicKey', () => {
  const { publicKey, privateKey } = KEYS;
  it.each([
    ['SubjectPublicKeyInfo', VECTORS.public_key],
    ['PKCS #1', publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['a private key', VECTORS.private_key],
  ])('reads %s', (_, text) => expect(readPublicKey(file(text)).equals(publicKey)).toBe(true));

  it.each([
    ['PKCS #1', VECTORS.private_key],
    ['PKCS #8', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
  ])('and the private one, in %s', (_, text) => expect(readPrivateKey(file(text)).equals(privateKey)).toBe(true));

  it.each<[what: string, path: () => string, read: (file: string) => unknown, message: RegExp]>([
    [
      'nothing',
      () => join(folder(), 'none'),
      readPublicKey,
      /none: expected an RSA public key \(PEM\); found no such file$/,
    ],
    ['a folder', folder, readPublicKey, /found a file that cannot be read \(it is not a regular file\)$/],
    [
      'no key',
      () => file('hello'),
      readPublicKey,
      /some\.key: expected an RSA public key \(PEM\); found something else \(/,
    ],
    ['another kind of key', () => file(pem('ed25519')), readPublicKey, /found a key of type ed25519$/],
    ['a short key', () => file(pem('rsa', 512)), readPublicKey, /found a key of 512 bits, below the minimum of 1024$/],
    ['a public key to sign with', () => file(VECTORS.public_key), readPrivateKey, /expected an RSA private key/],
    [
      'a passphrase',
      () => file(pem('rsa', 1024, 'x')),
      readPrivateKey,
      /expected an RSA private key without a passphrase/,
    ],
  ])('refuses %s', (_, path, read, message) => expect(() => read(path())).toThrow(message));

  it('names a part of the path that is not a folder', () => {
    mkdirSync(join(folder(), 'a'));
    expect(() => readPublicKey(join(file(''), 'b'))).toThrow(/found no such file$/);
  });
});
