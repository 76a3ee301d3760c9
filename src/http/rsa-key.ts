import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { messageOf } from '../lib/thrown.ts';

/** Bits of the shortest key that a signature of Pulp's fits into, and that anybody should still use. */
const SHORTEST = 1024;

/** Reads a key with one of Node's functions; throws an Error that says what was expected in the file, and what was found. */
const read = (file: string, what: string, create: (pem: Buffer) => KeyObject): KeyObject => {
  const expected = (found: string) => new Error(`${file}: expected ${what} (PEM); found ${found}`);
  let pem: Buffer;
  try {
    pem = readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw expected(code === 'ENOENT' || code === 'ENOTDIR' ? 'no such file' : `a file that cannot be read (${code})`);
  }
  let key: KeyObject;
  try {
    key = create(pem);
  } catch (error) {
    throw expected(`something else (${messageOf(error)})`);
  }
  if (key.asymmetricKeyType !== 'rsa') throw expected(`one of type ${key.asymmetricKeyType}`);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < SHORTEST) throw expected(`one of ${bits} bits; ${SHORTEST} are the least`);
  return key;
};

/** The key that signed URLs are verified with: a public one, or the one of a certificate or a private key. */
export const readPublicKey = (file: string): KeyObject => read(file, 'an RSA public key', createPublicKey);

/** The key that URLs are signed with. */
export const readPrivateKey = (file: string): KeyObject =>
  read(file, 'an RSA private key without a passphrase', createPrivateKey);
