import { codeOf, messageOf } from '../../lib/thrown.ts';

const UNTRUSTED = 'the server’s certificate was issued by an authority that is not trusted here';
const NO_TLS = 'the server does not speak TLS on this port';

/**
 * The codes of X.509 verification (X509_V_ERR_… in OpenSSL, as Node spells them), and Node's own.
 */
const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the server’s certificate, or an authority’s, has expired',
  CERT_NOT_YET_VALID: 'the server’s certificate, or an authority’s, is not valid yet',
  CERT_REVOKED: 'the server’s certificate was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the server’s certificate is self-signed and not trusted here',
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  CERT_UNTRUSTED: UNTRUSTED,
  CERT_REJECTED: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: 'the server’s certificate was not signed by the authority that it names',
  CERT_CHAIN_TOO_LONG: 'the server’s certificate chain is too long',
  PATH_LENGTH_EXCEEDED: 'the server’s certificate chain is longer than one of its authorities allows',
  INVALID_CA: 'the server’s certificate was issued by a certificate that is not an authority',
  INVALID_PURPOSE: 'the server’s certificate is not meant for servers, or an authority’s not for authorities',
  HOSTNAME_MISMATCH: 'the server’s certificate is for another host name',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the server’s certificate is for another host name',
  ERROR_IN_CERT_NOT_BEFORE_FIELD: 'the server’s certificate has an invalid date',
  ERROR_IN_CERT_NOT_AFTER_FIELD: 'the server’s certificate has an invalid date',
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: 'the signature of the server’s certificate cannot be read',
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'the key of the authority that signed the server’s certificate cannot be read',
  // Node's code for every X.509 error that it does not name.
  UNSPECIFIED: 'the server’s certificate is refused',
};

const AT = 'accepted where feed_tls_levels gives the host';
const VERSIONS = 'the server speaks only versions of TLS that are not accepted';

/** OpenSSL's text for each weakness, ours, and the setting that accepts it. */
const WEAK: readonly (readonly [RegExp, what: string, remedy: string])[] = [
  [/EE certificate key too weak/, 'the key of the server’s certificate is too small', `${AT} 1 or 0`],
  [
    /CA certificate key too weak/,
    'the key of an authority in the server’s certificate chain is too small',
    `${AT} 1 or 0`,
  ],
  [/CA signature digest algorithm too weak/, 'a signature in the server’s certificate chain is too weak', `${AT} 0`],
  [/ee key too small/, 'the key of the client certificate is too small', `${AT} 1 or 0`],
  [/ca key too small/, 'the key of an authority beside the client certificate is too small', `${AT} 1 or 0`],
  [/ca md too weak/, 'a signature beside the client certificate is too weak', `${AT} 0`],
  // OpenSSL accepts smaller ones at no level.
  [/dh key too small/, 'the server’s Diffie-Hellman key is too small', `from 1024 bits on, ${AT} 1`],
  [/unsafe legacy renegotiation disabled/, 'the server lacks secure renegotiation (RFC 5746)', `${AT} 0`],
  [/unsupported protocol/, VERSIONS, `TLS 1.0 and 1.1 are ${AT} 0`],
  // A host with a level is not offered TLS 1.3, and its server may accept nothing else.
  [/alert protocol version/, VERSIONS, `TLS 1.0 and 1.1 are ${AT} 0, TLS 1.3 where it does not list the host`],
  [/wrong signature type|legacy sigalg disallowed/, 'the server signs the handshake too weakly', `${AT} 0`],
];

const HANDSHAKE: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
};

/** Names what is too weak, and the setting that accepts it; `undefined` for other errors. */
export const weakness = (thrown: unknown): string | undefined => {
  const [, what, remedy] = weak(thrown) ?? [];
  return what && `${what}; ${remedy} (${saying(thrown)})`;
};

/** The text must be OpenSSL's. Node's own quotes the names in a certificate, which are the server's. */
const weak = (thrown: unknown) =>
  /^ERR_TLS_/.test(codeOf(thrown)) ? undefined : WEAK.find(([pattern]) => pattern.test(saying(thrown)));

/** Whether an error stems from TLS: from its handshake, or from what was received later. */
export const isOfTls = (thrown: unknown): boolean => {
  const code = codeOf(thrown);
  // Feeds use OpenSSL for TLS only.
  return CERTIFICATES[code] !== undefined || /^(ERR_SSL_|ERR_TLS_|ERR_OSSL_|EPROTO$)/.test(code);
};

/** A record was damaged on the way: another connection may be right. */
export const isRecordDamaged = (thrown: unknown): boolean =>
  codeOf(thrown) === 'ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC';

/** The reason of a failed handshake with a feed. Its argument is an error of TLS. */
export const tlsReason = (thrown: unknown): string => weakness(thrown) ?? reasonOf(thrown);

/** The same of a handshake with an https proxy, which no setting changes. */
export const proxyTlsReason = (thrown: unknown): string => {
  const [, what] = weak(thrown) ?? [];
  return what ? `${what} (${saying(thrown)})` : reasonOf(thrown);
};

const reasonOf = (thrown: unknown): string => {
  const code = codeOf(thrown);
  const certificate = CERTIFICATES[code];
  if (certificate) return `${certificate} (${saying(thrown)})`;
  const [, alert] = /^ERR_SSL_.*ALERT_(?:NUMBER_)?(.+)$/.exec(code) ?? [];
  if (alert) return `${alertReason(alert)} (${code})`;
  return `${HANDSHAKE[code] ?? 'the TLS handshake failed'} (${saying(thrown)})`;
};

/** Characters of a reason. A message may list all names of a certificate, which are the server's. */
const LONGEST = 300;

/** The code with OpenSSL's reason; its message would also name its source files. */
export const saying = (thrown: unknown): string => {
  const { reason } = (thrown ?? {}) as { readonly reason?: unknown };
  const isOpenSsl = /^ERR_(SSL|OSSL)_/.test(codeOf(thrown)) && typeof reason === 'string';
  const text = (isOpenSsl ? reason : messageOf(thrown))
    // Node's hint is wrong for a source with its own CA, which replaces the system's.
    .replace(/; if the root CA is installed locally.*$/, '')
    .replace(/\p{Cc}/gu, '\u{fffd}');
  return `${codeOf(thrown)}: ${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}`;
};

/** Explains an alert of the server (RFC 8446 section 6.2): its subject is the client side. */
const alertReason = (alert: string): string => {
  if (alert === 'CERTIFICATE_REQUIRED') return 'the server demands a client certificate, and none was presented';
  // TLS 1.2 reports the same this way, and a dozen other causes too.
  if (alert === 'HANDSHAKE_FAILURE')
    return 'the server aborted the handshake; it may demand a client certificate, or accept no cipher or signature offered';
  const words = alert.toLowerCase().replaceAll('_', ' ');
  return /CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED/.test(alert)
    ? `the server rejects our client certificate: ${words}`
    : `the server aborted the handshake: ${words}`;
};
