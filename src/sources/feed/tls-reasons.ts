import { codeOf, messageOf } from '../../lib/thrown.ts';

const UNTRUSTED = 'the server’s certificate was issued by an authority that is not trusted here';
const NO_TLS = 'the server does not speak TLS on this port';

/**
 * The codes of X.509 verification (X509_V_ERR_… in OpenSSL, as Node spells them), and Node's own.
 */
const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the server’s certificate has expired',
  CERT_NOT_YET_VALID: 'the server’s certificate is not valid yet',
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
  INVALID_PURPOSE: 'the server’s certificate is not meant for servers',
  HOSTNAME_MISMATCH: 'the server’s certificate is for another host name',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the server’s certificate is for another host name',
  ERROR_IN_CERT_NOT_BEFORE_FIELD: 'the server’s certificate has an invalid date',
  ERROR_IN_CERT_NOT_AFTER_FIELD: 'the server’s certificate has an invalid date',
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: 'the signature of the server’s certificate cannot be read',
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'the key of the authority that signed the server’s certificate cannot be read',
  // Node's code for every X.509 error that it does not name.
  UNSPECIFIED: 'the server’s certificate is refused',
};

/** OpenSSL's text for each weakness, ours, and the level of `feed_tls_levels` that accepts it. */
const WEAK: readonly (readonly [RegExp, string, level: string])[] = [
  [/EE certificate key too weak/, 'the key of the server’s certificate is too small', '1 or 0'],
  [/CA certificate key too weak/, 'the key of an authority in the server’s certificate chain is too small', '1 or 0'],
  [/CA signature digest algorithm too weak/, 'a signature in the server’s certificate chain is too weak', '0'],
  [/ee key too small/, 'the key of the client certificate is too small', '1 or 0'],
  [/ca key too small/, 'the key of an authority beside the client certificate is too small', '1 or 0'],
  [/ca md too weak/, 'a signature beside the client certificate is too weak', '0'],
  [/dh key too small/, 'the server’s Diffie-Hellman key is too small', '1'],
  [/unsafe legacy renegotiation disabled/, 'the server lacks secure renegotiation (RFC 5746)', '0'],
  [/unsupported protocol|alert protocol version/, 'the server speaks only versions of TLS that are not accepted', '0'],
  [/wrong signature type|legacy sigalg disallowed/, 'the server signs the handshake too weakly', '0'],
];

const HANDSHAKE: Readonly<Record<string, string>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
};

/** Names what is too weak, and the setting that accepts it; `undefined` for other errors. */
export const weakness = (thrown: unknown): string | undefined => {
  const said = saying(thrown);
  const [, what, level] = WEAK.find(([pattern]) => pattern.test(said)) ?? [];
  return what && `${what}; accepted where feed_tls_levels gives the host ${level} (${said})`;
};

/** The reason of a failed TLS handshake; `undefined` for other errors. */
export const tlsReason = (thrown: unknown): string | undefined => {
  const code = codeOf(thrown);
  const certificate = CERTIFICATES[code];
  // Feeds use OpenSSL for TLS only, so its other codes also stem from the handshake.
  if (certificate === undefined && !/^(ERR_SSL_|ERR_TLS_|ERR_OSSL_|EPROTO$)/.test(code)) return undefined;
  const reason = weakness(thrown);
  if (reason) return reason;
  if (certificate) return `${certificate} (${saying(thrown)})`;
  const [, alert] = /^ERR_SSL_.*ALERT_(?:NUMBER_)?(.+)$/.exec(code) ?? [];
  if (alert) return `${alertReason(alert)} (${code})`;
  return `${HANDSHAKE[code] ?? 'the TLS handshake failed'} (${saying(thrown)})`;
};

/** The code with OpenSSL's reason; its message would also name its source files. */
const saying = (thrown: unknown): string => {
  const { reason } = (thrown ?? {}) as { readonly reason?: unknown };
  const isOpenSsl = /^ERR_(SSL|OSSL)_/.test(codeOf(thrown)) && typeof reason === 'string';
  return `${codeOf(thrown)}: ${isOpenSsl ? reason : messageOf(thrown)}`;
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
