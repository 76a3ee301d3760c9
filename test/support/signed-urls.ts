import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  privateEncrypt,
} from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SettingOptions } from '../../src/app/from-settings.ts';
import { signUrl } from '../../src/http/signed-url.ts';
import { freePorts } from './ports.ts';

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

/** URLs signed in Pulp 2's way, with the expected result of each. */
export const VECTORS: Vectors = JSON.parse(readFileSync(new URL('vectors/signed-urls.json', import.meta.url), 'utf8'));

export const KEYS = {
  privateKey: createPrivateKey(VECTORS.private_key),
  publicKey: createPublicKey(VECTORS.public_key),
};

/** Keys of another party. */
export const STRANGERS = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Settings of a streamer whose admin port checks signed URLs for local proxies, and that port. */
export const askedByProxies = async (folder: string): Promise<{ adminPort: number; settings: SettingOptions }> => {
  const rsaPub = join(folder, 'rsa_pub.key');
  writeFileSync(rsaPub, VECTORS.public_key);
  const [adminPort = 0] = await freePorts(1);
  return { adminPort, settings: { signedUrls: 'auth', adminPort, rsaPub, trustedProxies: '127.0.0.1, ::1' } };
};

/**
 * A target signed as in Pulp: valid for 90 seconds and for any client, unless `more` changes it.
 */
export const signed = (target: string, more: Partial<Parameters<typeof signUrl>[1]> = {}): string =>
  signUrl(target, { key: KEYS.privateKey, expiration: Math.floor(Date.now() / 1000) + 90, ...more });

/** A target with a signature over a resource as Pulp stores it: not percent-encoded. */
export const signedAs = (resource: string, target: string): string => {
  const expiration = Math.floor(Date.now() / 1000) + 90;
  const policy = toBase64Url(Buffer.from(JSON.stringify({ resource, expiration, extensions: {} })));
  const digest = Buffer.from(createHash('sha256').update(policy).digest('hex'));
  const signature = privateEncrypt(
    { key: KEYS.privateKey, padding: constants.RSA_PKCS1_PADDING },
    Buffer.concat([Buffer.from('304d300906052b0e03021a05000440', 'hex'), digest]),
  );
  return `${target}?policy=${policy};signature=${toBase64Url(signature)}`;
};

const toBase64Url = (bytes: Buffer): string => bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/** Wrong ways to sign a target. */
export const badlySigned = (target: string): Readonly<Record<string, string>> => ({
  unsigned: target,
  'for another file': signed('/streamer/other').replace('/streamer/other', target),
  'by another party': signed(target, { key: STRANGERS.privateKey }),
  'for a time that is over': signed(target, { expiration: 1_500_000_000 }),
  'for another client': signed(target, { remoteIp: '192.0.2.7' }),
  twice: `${signed(target)};${signed(target).split('?')[1]}`,
});
