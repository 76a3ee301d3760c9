import { type ErrorCode, StreamError } from '../../../pipelines/model/index.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';

/** A URL for messages: without user, password, query (which holds signatures) and fragment. */
export const sayUrl = (url: URL): string => `${url.origin}${url.pathname}${url.search && '?…'}`;

const PARSER_ERROR = 'HTTPParserError';

/**
 * Turns an error of undici, a socket, TLS or the resolver into a StreamError with the URL and the
 * reason. `headSeen`: whether the response's head had arrived. It distinguishes a broken head from
 * a body that ended too early.
 */
export const feedError = (thrown: unknown, url: URL, headSeen = false): StreamError => {
  if (thrown instanceof StreamError) return thrown;
  // undici intends to put llhttp's code on its parser errors, but the code is undefined.
  const isParser = (thrown as { readonly name?: unknown } | null)?.name === PARSER_ERROR;
  const { code, reason } = diagnose(codeOf(thrown) || (isParser ? PARSER_ERROR : ''), messageOf(thrown), headSeen);
  return new StreamError(code, code === 'INTERNAL' ? 'self' : 'feed', `${sayUrl(url)}: ${reason}`, {
    cause: thrown,
    sourceStatus: code === 'SOURCE_REFUSED' ? 407 : undefined,
  });
};

interface Diagnosis {
  readonly code: ErrorCode;
  readonly reason: string;
}

const diagnose = (code: string, message: string, headSeen: boolean): Diagnosis => {
  const tls = tlsReason(code, message);
  if (tls) return { code: 'TLS_FAILED', reason: tls };
  const said = code === 'UND_ERR_HEADERS_TIMEOUT' ? 'the proxy did not open a tunnel in time' : message;
  return { code: kindOf(code, message, headSeen), reason: code ? `${said} (${code})` : said };
};

const KINDS: Readonly<Record<string, ErrorCode>> = {
  ENOTFOUND: 'DNS_FAILED',
  ENODATA: 'DNS_FAILED',
  ECONNREFUSED: 'CONNECT_FAILED',
  EHOSTUNREACH: 'CONNECT_FAILED',
  EHOSTDOWN: 'CONNECT_FAILED',
  ENETUNREACH: 'CONNECT_FAILED',
  ENETDOWN: 'CONNECT_FAILED',
  EADDRNOTAVAIL: 'CONNECT_FAILED',
  EACCES: 'CONNECT_FAILED',
  EPERM: 'CONNECT_FAILED',
  EMFILE: 'CONNECT_FAILED',
  ENFILE: 'CONNECT_FAILED',
  UND_ERR_PRX_CONN: 'CONNECT_FAILED',
  UND_ERR_PRX_TLS: 'TLS_FAILED',
  UND_ERR_CONNECT_TIMEOUT: 'CONNECT_TIMEOUT',
  // This timeout applies only to a proxy's tunnel: the pipeline times the heads of feeds.
  UND_ERR_HEADERS_TIMEOUT: 'CONNECT_TIMEOUT',
  UND_ERR_HEADERS_OVERFLOW: 'PROTOCOL_ERROR',
  UND_ERR_INVALID_ARG: 'SOURCE_BROKEN',
  UND_ERR_NOT_SUPPORTED: 'SOURCE_BROKEN',
  [PARSER_ERROR]: 'PROTOCOL_ERROR',
};

const kindOf = (code: string, message: string, headSeen: boolean): ErrorCode => {
  if (/\b407\b/.test(message) && /proxy/i.test(message)) return 'SOURCE_REFUSED';
  if (/^Proxy response/.test(message)) return 'CONNECT_FAILED';
  // undici reports this for any parser error after a Content-Length, even within the head.
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return headSeen ? 'SHORT_BODY' : 'PROTOCOL_ERROR';
  // llhttp's text for an end within a chunked body: the source stopped, but sent nothing invalid.
  if (/Invalid EOF state/.test(message)) return 'CONNECTION_LOST';
  if (code === 'UND_ERR_SOCKET') return /^bad /.test(message) ? 'PROTOCOL_ERROR' : 'CONNECTION_LOST';
  if (code === 'ETIMEDOUT') return /connect/.test(message) ? 'CONNECT_TIMEOUT' : 'CONNECTION_LOST';
  const kind = KINDS[code];
  if (kind) return kind;
  if (/^EAI_/.test(code)) return 'DNS_FAILED';
  // An unlisted code comes from a socket (ECONNRESET and EPIPE are the common ones). An error
  // without a code is a defect of the streamer.
  return code === '' || /^ERR_/.test(code) ? 'INTERNAL' : 'CONNECTION_LOST';
};

/**
 * The codes of X.509 verification (X509_V_ERR_… in OpenSSL, as Node spells them), and Node's own.
 */
const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the server’s certificate has expired',
  CERT_NOT_YET_VALID: 'the server’s certificate is not valid yet',
  CERT_REVOKED: 'the server’s certificate was revoked',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the server’s certificate is self-signed and not trusted here',
  SELF_SIGNED_CERT_IN_CHAIN: 'the server’s certificate was issued by an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT: 'the server’s certificate was issued by an authority that is not trusted here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the server’s certificate was issued by an authority that is not trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the server’s certificate was issued by an authority that is not trusted here',
  CERT_UNTRUSTED: 'the server’s certificate was issued by an authority that is not trusted here',
  CERT_SIGNATURE_FAILURE: 'the server’s certificate was not signed by the authority that it names',
  CERT_CHAIN_TOO_LONG: 'the server’s certificate chain is too long',
  INVALID_CA: 'the server’s certificate was issued by a certificate that is not an authority',
  INVALID_PURPOSE: 'the server’s certificate is not meant for servers',
  HOSTNAME_MISMATCH: 'the server’s certificate is for another host name',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the server’s certificate is for another host name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS on this port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server does not speak TLS on this port',
};

/** The reason of a failed TLS handshake; `undefined` for other errors. */
const tlsReason = (code: string, message: string): string | undefined => {
  const known = CERTIFICATES[code];
  if (known) return `${known} (${code}: ${message})`;
  const [, alert] = /^ERR_SSL_.*ALERT_(?:NUMBER_)?(.+)$/.exec(code) ?? [];
  if (alert) return `${alertReason(alert)} (${code})`;
  return /^(ERR_SSL_|ERR_TLS_|EPROTO$)/.test(code) ? `the TLS handshake failed: ${message} (${code})` : undefined;
};

/** Explains an alert of the server (RFC 8446 section 6.2): its subject is the client side. */
const alertReason = (alert: string): string => {
  if (alert === 'CERTIFICATE_REQUIRED') return 'the server demands a client certificate, and none was presented';
  // TLS 1.2 reports the same this way, and a dozen other causes too.
  if (alert === 'HANDSHAKE_FAILURE') return 'the server aborted the handshake; it may demand a client certificate';
  return /CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED/.test(alert)
    ? `the server rejects our client certificate: ${alert.toLowerCase().replaceAll('_', ' ')}`
    : `the server aborted the handshake: ${alert.toLowerCase().replaceAll('_', ' ')}`;
};
