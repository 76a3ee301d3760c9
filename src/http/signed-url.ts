import { constants, createHash, type KeyObject, privateEncrypt, publicDecrypt, timingSafeEqual } from 'node:crypto';
import { decodePath } from '../../pipelines/model/spelling.ts';
import { canonicalAddress } from '../lib/networks.ts';
import { isRecord } from '../lib/record.ts';
import { originForm } from './target.ts';

/** The policy in a signed URL. */
export interface SignedPolicy {
  /** Path and query of the URL as the client requests it, without the signature. */
  readonly resource: string;
  /** The Unix time in seconds at which the URL expires. */
  readonly expiration: number;
  /**
   * Further conditions on the request. Pulp uses only `remote_ip`: the address of the only client
   * that may use the URL.
   */
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
 * Pulp 2 wraps a digest in an unusual way. The DigestInfo states SHA-1 (RFC 8017 section 9.2), and
 * holds the SHA-256 in hexadecimal. The length depends on the OpenSSL that signed: the true length
 * (1.0) or that of SHA-1 (3).
 */
const WRAPPINGS = ['304d300906052b0e03021a05000440', '3021300906052b0e03021a05000414'] as const;

/** The accepted payloads of a signature of a policy. The streamer itself signs the first one. */
const payloads = (policy: string): readonly [Buffer, Buffer] => {
  const digest = Buffer.from(createHash('sha256').update(policy).digest('hex'));
  const wrapped = (wrapping: string) => Buffer.concat([Buffer.from(wrapping, 'hex'), digest]);
  return [wrapped(WRAPPINGS[0]), wrapped(WRAPPINGS[1])];
};

const toBase64Url = (bytes: Buffer): string => bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');

/**
 * The bytes of a text, if it is exactly their encoding: padded, and without unused bits that could
 * be altered.
 */
const fromBase64Url = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64url');
  return toBase64Url(bytes) === text ? bytes : undefined;
};

const isPolicy = (value: unknown): value is SignedPolicy =>
  isRecord(value) &&
  typeof value.resource === 'string' &&
  Number.isInteger(value.expiration) &&
  isRecord(value.extensions);

/**
 * The parameters of a target's query, which `;` separates, and the rest of the target without the
 * signature's parameters.
 */
const dissect = (target: string) => {
  const [, path = '', query] = /^([^?]*)\??(.*)$/.exec(originForm(target)) ?? [];
  const parts = query ? query.split(';') : [];
  const named = (name: string) => parts.filter((part) => part.startsWith(`${name}=`));
  const [policies, signatures] = [named('policy'), named('signature')];
  const rest = parts.filter((part) => !policies.includes(part) && !signatures.includes(part));
  // Proxies and clients may have encoded the padding; nothing else in base64url needs it.
  const only = ([one, ...others]: readonly string[]) =>
    others.length === 0 ? one?.slice(one.indexOf('=') + 1).replaceAll(/%3d/gi, '=') : undefined;
  return {
    policy: only(policies),
    signature: only(signatures),
    isSigned: policies.length + signatures.length > 0,
    resource: rest.length === 0 ? path : `${path}?${rest.join(';')}`,
  };
};

const isAuthentic = (policy: string, signature: Buffer, key: KeyObject): boolean => {
  // RFC 8017 section 8.2.2: a signature is as long as the modulus. OpenSSL would accept a shorter
  // one.
  if (signature.length * 8 !== key.asymmetricKeyDetails?.modulusLength) return false;
  let recovered: Buffer;
  try {
    recovered = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
  } catch {
    return false; // not a signature made with this key
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

/**
 * Whether two resources are the same path and the same query. Pulp signs the path as it is stored;
 * its clients may percent-encode what they are sent to, and proxies decode it.
 */
const isSameResource = (a: string, b: string): boolean => {
  const [[pathOfA, queryOfA], [pathOfB, queryOfB]] = [halves(a), halves(b)];
  return decodePath(pathOfA) === decodePath(pathOfB) && queryOfA === queryOfB;
};

const halves = (resource: string): readonly [path: string, query: string] => {
  const at = resource.indexOf('?');
  return at < 0 ? [resource, ''] : [resource.slice(0, at), resource.slice(at)];
};

const refused = (reason: string): Verdict => ({ valid: false, reason });

/** Normalizes an address, which has several spellings. Any other value is compared unchanged. */
const canonical = (value: unknown): unknown => (typeof value === 'string' && canonicalAddress(value)) || value;

/**
 * Verifies the signature of a target, `{path}[?{query};]policy={…};signature={…}` (RFC 9112 section
 * 3.2), also as an absolute URL. The owner of the key must have signed it for this client, for this
 * path in any percent-encoding and for exactly this query, and it must not have expired.
 *
 * The order of checks is Pulp 2's, so the reason is the first failed check. Throws `BAD_TARGET` if
 * it is not a target.
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
  if (!isSameResource(found.resource, resource))
    return refused(`resource not matched: signed for ${JSON.stringify(found.resource)}`);
  for (const [name, value] of Object.entries(found.extensions))
    if (name !== 'remote_ip' || canonical(value) !== canonical(remoteIp))
      return refused(`extension ${name} not matched: signed for ${JSON.stringify(value)}`);
  return { valid: true, policy: found };
};

interface Signing {
  readonly key: KeyObject;
  /** Unix seconds. */
  readonly expiration: number;
  /** The only client that may use the URL; if absent, every client may. */
  readonly remoteIp?: string;
}

/**
 * Signs a URL, or a path with or without a query, as Pulp 2 does with OpenSSL 1.0. Throws
 * `BAD_TARGET` if the URL cannot be requested, and another Error if signing would change its
 * meaning.
 */
export const signUrl = (url: string, { key, expiration, remoteIp }: Signing): string => {
  const { resource, isSigned } = dissect(url);
  if (isSigned) throw new Error('expected a URL that is not signed; found a policy or a signature');
  if (/[^\x21-\x7e]/.test(url))
    throw new Error(
      'expected a percent-encoded URL; found characters that clients encode, so they would request another URL',
    );
  const extensions = remoteIp === undefined ? {} : { remote_ip: canonical(remoteIp) };
  const policy = toBase64Url(Buffer.from(JSON.stringify({ resource, expiration, extensions })));
  const signature = privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, payloads(policy)[0]);
  const [, query] = /\?(.*)$/.exec(url) ?? [];
  const separator = query === undefined ? '?' : query === '' ? '' : ';';
  return `${url}${separator}policy=${policy};signature=${toBase64Url(signature)}`;
};
