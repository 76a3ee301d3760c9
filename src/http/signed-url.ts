import { constants, createHash, type KeyObject, privateEncrypt, publicDecrypt, timingSafeEqual } from 'node:crypto';
import { canonicalAddress } from './client-address.ts';
import { originForm } from './target.ts';

/** What a signed URL says of itself. */
export interface SignedPolicy {
  /** Path and query of the URL as the client asks for it, without the signature. */
  readonly resource: string;
  /** Unix seconds from which on it is worth nothing. */
  readonly expiration: number;
  /** What the request must have, beside. Of Pulp's, only `remote_ip` is known: the address of the only client who may use it. */
  readonly extensions: Readonly<Record<string, unknown>>;
}

export type Verdict =
  | { readonly valid: true; readonly policy: SignedPolicy }
  | { readonly valid: false; readonly reason: string };

interface Checks {
  readonly key: KeyObject;
  /** The client's address. */
  readonly remoteIp: string;
  /** Unix seconds. */
  readonly now: number;
}

/**
 * Pulp 2 wraps a digest as nobody else does: a DigestInfo that says SHA-1 (RFC 8017 section 9.2), with the SHA-256 in hexadecimal where
 * the digest should be. Which of these a signature has is up to the OpenSSL that made it: the length is the true one (1.0) or SHA-1's (3).
 */
const WRAPPINGS = ['304d300906052b0e03021a05000440', '3021300906052b0e03021a05000414'] as const;

/** What a signature of a policy may be made of, the first of them by us. */
const payloads = (policy: string): readonly [Buffer, Buffer] => {
  const digest = Buffer.from(createHash('sha256').update(policy).digest('hex'));
  const wrapped = (wrapping: string) => Buffer.concat([Buffer.from(wrapping, 'hex'), digest]);
  return [wrapped(WRAPPINGS[0]), wrapped(WRAPPINGS[1])];
};

const toBase64Url = (bytes: Buffer): string => bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/** The bytes of a text, where it is exactly what encoding them gives: padded, and with no bits left over that somebody could alter. */
const fromBase64Url = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64url');
  return toBase64Url(bytes) === text ? bytes : undefined;
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isPolicy = (value: unknown): value is SignedPolicy =>
  isRecord(value) &&
  typeof value.resource === 'string' &&
  Number.isInteger(value.expiration) &&
  isRecord(value.extensions);

/** The parameters of a target's query, which `;` separates, and what is left of the target without those of the signature. */
const dissect = (target: string) => {
  const [, path = '', query] = /^([^?]*)\??(.*)$/.exec(originForm(target)) ?? [];
  const parts = query ? query.split(';') : [];
  const named = (name: string) => parts.filter((part) => part.startsWith(`${name}=`));
  const [policies, signatures] = [named('policy'), named('signature')];
  const rest = parts.filter((part) => !policies.includes(part) && !signatures.includes(part));
  // Proxies and clients may have encoded the padding; nothing else of base64url needs it.
  const only = ([one, ...others]: readonly string[]) =>
    others.length === 0 ? one?.slice(one.indexOf('=') + 1).replaceAll(/%3d/gi, '=') : undefined;
  return {
    policy: only(policies),
    signature: only(signatures),
    resource: rest.length === 0 ? path : `${path}?${rest.join(';')}`,
  };
};

const isAuthentic = (policy: string, signature: Buffer, key: KeyObject): boolean => {
  // RFC 8017 section 8.2.2: a signature is as long as the modulus. OpenSSL would take a shorter one.
  if (signature.length * 8 !== key.asymmetricKeyDetails?.modulusLength) return false;
  let recovered: Buffer;
  try {
    recovered = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  } catch {
    return false; // not a signature by this key at all
  }
  const matches = payloads(policy).map((one) => one.length === recovered.length && timingSafeEqual(one, recovered));
  return matches.includes(true);
};

const parsed = (json: Buffer): unknown => {
  try {
    return JSON.parse(json.toString());
  } catch {
    return undefined;
  }
};

const refused = (reason: string): Verdict => ({ valid: false, reason });

/** An address has several spellings; anything else is compared as it is. */
const canonical = (value: unknown): unknown => (typeof value === 'string' && canonicalAddress(value)) || value;

/**
 * Whether a target (`{path}[?{query};]policy={…};signature={…}`, RFC 9112 section 3.2, also as an absolute URL) was signed by the owner
 * of the key, for this client, for exactly this path and query, and is not expired. The order of checks is Pulp 2's, so the
 * reason is the first thing that is wrong. Throws `BAD_TARGET` where it is no target.
 */
export const verifyUrl = (target: string, { key, remoteIp, now }: Checks): Verdict => {
  const { policy, signature, resource } = dissect(target);
  if (policy === undefined || signature === undefined) return refused('not signed');
  const json = fromBase64Url(policy);
  const bytes = fromBase64Url(signature);
  if (!json) return refused('policy undecodable');
  if (!bytes) return refused('signature undecodable');
  if (!isAuthentic(policy, bytes, key)) return refused('not authenticated');
  const found = parsed(json);
  if (found === undefined) return refused('policy undecodable');
  if (!isPolicy(found)) return refused('policy malformed');
  if (found.expiration <= now) return refused(`expired ${now - found.expiration} s ago`);
  if (found.resource !== resource) return refused(`resource not matched: signed for ${JSON.stringify(found.resource)}`);
  for (const [name, value] of Object.entries(found.extensions))
    if (name !== 'remote_ip' || canonical(value) !== canonical(remoteIp))
      return refused(`extension ${name} not matched: signed for ${JSON.stringify(value)}`);
  return { valid: true, policy: found };
};

interface Signing {
  readonly key: KeyObject;
  /** Unix seconds. */
  readonly expiration: number;
  /** The only client who may use it; anybody unless given. */
  readonly remoteIp?: string;
}

/**
 * A URL, or a path with or without a query, signed as Pulp 2 with OpenSSL 1.0 does it. Throws `BAD_TARGET` where nobody can ask for it,
 * another Error where it would not mean the same once it is signed.
 */
export const signUrl = (url: string, { key, expiration, remoteIp }: Signing): string => {
  const { resource, policy: old, signature: older } = dissect(url);
  if (old !== undefined || older !== undefined)
    throw new Error('expected a URL that is not signed; found a policy or a signature');
  if (/[^\x21-\x7e]/.test(url))
    throw new Error(
      'expected a percent-encoded URL; found characters that clients would encode, and then ask for another one',
    );
  const extensions = remoteIp === undefined ? {} : { remote_ip: canonical(remoteIp) };
  const policy = toBase64Url(Buffer.from(JSON.stringify({ resource, expiration, extensions })));
  const signature = privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, payloads(policy)[0]);
  const [, query] = /\?(.*)$/.exec(url) ?? [];
  const separator = query === undefined ? '?' : query === '' ? '' : ';';
  return `${url}${separator}policy=${policy};signature=${toBase64Url(signature)}`;
};
