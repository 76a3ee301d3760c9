import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readPlainBytesSync } from '../lib/read-plain-file.ts';
import { codeOf, messageOf } from '../lib/thrown.ts';

/**
 * Bits of the shortest accepted key: a signature of Pulp fits into it, and shorter keys are
 * insecure.
 */
const SHORTEST = 1024;

/**
 * Reads a key with one of Node's functions. Throws an Error that names the file, the expected key
 * and what was found.
 */
const read = (
  file: string,
  what: string,
  bytesOf: (file: string) => Buffer,
  create: (pem: Buffer) => KeyObject,
): KeyObject => {
  const expected = (found: string) => new Error(`${file}: expected ${what} (PEM); found ${found}`);
  let pem: Buffer;
  try {
    pem = bytesOf(file);
  } catch (error) {
    const code = codeOf(error);
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    throw expected(isMissing ? 'no such file' : `a file that cannot be read (${code || messageOf(error)})`);
  }
  let key: KeyObject;
  try {
    key = create(pem);
  } catch (error) {
    throw expected(`something else (${messageOf(error)})`);
  }
  if (key.asymmetricKeyType !== 'rsa') throw expected(`a key of type ${key.asymmetricKeyType}`);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < SHORTEST) throw expected(`a key of ${bits} bits, below the minimum of ${SHORTEST}`);
  return key;
};

/** The key that verifies signed URLs: a public key, or that of a certificate or a private key. */
export const readPublicKey = (file: string): KeyObject =>
  read(file, 'an RSA public key', readPlainBytesSync, createPublicKey);

/** The key that signs URLs. A command reads it, so it may come through a pipe. */
export const readPrivateKey = (file: string): KeyObject =>
  read(file, 'an RSA private key without a passphrase', readFileSync, createPrivateKey);
