import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

interface Case {
  readonly name: string;
  readonly url: string;
  readonly remote_ip: string;
  readonly valid: boolean;
  readonly reason?: string;
}

interface Vectors {
  readonly private_key: string;
  readonly public_key: string;
  readonly cases: readonly Case[];
}

/** URLs that Pulp 2's way of signing has made, with what has to come of each. */
export const VECTORS: Vectors = JSON.parse(readFileSync(new URL('vectors/signed-urls.json', import.meta.url), 'utf8'));

export const KEYS = {
  privateKey: createPrivateKey(VECTORS.private_key),
  publicKey: createPublicKey(VECTORS.public_key),
};

/** Keys of somebody else. */
export const STRANGERS = generateKeyPairSync('rsa', { modulusLength: 2048 });
