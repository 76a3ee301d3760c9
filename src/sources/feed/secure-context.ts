import { constants, X509Certificate } from 'node:crypto';
import { createSecureContext, DEFAULT_CIPHERS, type SecureContext, type SecureContextOptions } from 'node:tls';
import { type Access, StreamError } from '../../../pipelines/model/index.ts';
import { messageOf } from '../../lib/thrown.ts';
import { weakness } from './tls-reasons.ts';

/**
 * A security level of OpenSSL for a server with old TLS, which also limits it to TLS 1.2. 2 is the
 * default of OpenSSL. 1 accepts keys of 1024 bits. 0 accepts what OpenSSL 1.0 did: smaller keys,
 * signatures with SHA-1 and MD5, TLS 1.0 and 1.1, no secure renegotiation (RFC 5746).
 */
export type TlsLevel = 0 | 1 | 2;

/**
 * The TLS identity and trust of a source, parsed once for each access object: making one takes
 * longer than a connection that is refused. A given CA replaces Node's own store and
 * NODE_EXTRA_CA_CERTS. Throws SOURCE_BROKEN for unusable PEM texts.
 */
export const secureContextOf = (access: Access, level?: TlsLevel): SecureContext => {
  const known = contexts.get(access)?.get(level);
  if (known) return known;
  const made = makeContext(access, level);
  contexts.set(access, (contexts.get(access) ?? new Map()).set(level, made));
  return made;
};

const contexts = new WeakMap<Access, Map<TlsLevel | undefined, SecureContext>>();

const makeContext = ({ ca, clientCert, clientKey }: Access, level: TlsLevel | undefined): SecureContext => {
  const authorities = ca === undefined ? undefined : authoritiesIn(ca);
  if (clientCert !== undefined && clientKey === undefined) throw broken('the client certificate has no private key');
  // Pulp's rule: a client certificate is used only together with its key.
  const client = clientCert !== undefined && clientKey !== undefined ? { cert: clientCert, key: clientKey } : {};
  try {
    return createSecureContext({ ca: authorities, ...client, ...atLevel(level) });
  } catch (error) {
    throw broken(`the client certificate and key cannot be used: ${reasonOf(error, clientKey)}`, error);
  }
};

/** OpenSSL's own text for these two would be its guess at the password, and an address in its code. */
const reasonOf = (error: unknown, key = ''): string => {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type: 4,ENCRYPTED/m.test(key))
    return 'the key has a passphrase; expected one without';
  if (/key values mismatch/.test(messageOf(error))) return 'the key belongs to another certificate';
  return weakness(error) ?? messageOf(error);
};

const atLevel = (level: TlsLevel | undefined): SecureContextOptions => {
  if (level === undefined) return {};
  // Node cannot present a client certificate after the handshake. With TLS 1.3, Apache demands one
  // then, if it demands it for some folders only.
  const limited = { ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=${level}`, maxVersion: 'TLSv1.2' } as const;
  // OpenSSL accepts the old protocols only at level 0: their signatures use SHA-1 and MD5.
  return level === 0
    ? { ...limited, minVersion: 'TLSv1', secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT }
    : limited;
};

/**
 * Each certificate of a CA text. OpenSSL skips the unreadable parts of one, such as two certificates
 * without a line end between them, and would then trust nothing without reporting why.
 */
const authoritiesIn = (ca: string): string[] => {
  const blocks = ca.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]*-----END (TRUSTED )?CERTIFICATE-----/g);
  if (!blocks) throw broken('the CA text holds no PEM certificate');
  try {
    for (const block of blocks) new X509Certificate(block);
    return blocks;
  } catch (error) {
    throw broken(`the CA text holds a certificate that cannot be read: ${messageOf(error)}`, error);
  }
};

const broken = (what: string, cause?: unknown): StreamError =>
  new StreamError('SOURCE_BROKEN', 'feed', what, { cause });
