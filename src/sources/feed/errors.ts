import { type ErrorCode, StreamError } from '../../../pipelines/model/index.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { Http1Error } from './http1/errors.ts';
import { isOfTls, isRecordDamaged, saying, tlsReason } from './tls-reasons.ts';

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
  const { code, reason } =
    ownDiagnosis(thrown) ??
    inTls(thrown, headSeen) ??
    diagnose(codeOf(thrown) || (isParser ? PARSER_ERROR : ''), messageOf(thrown), headSeen);
  return new StreamError(code, code === 'INTERNAL' ? 'self' : 'feed', `${sayUrl(url)}: ${reason}`, {
    cause: thrown,
    sourceStatus: code === 'SOURCE_REFUSED' ? 407 : undefined,
  });
};

interface Diagnosis {
  readonly code: ErrorCode;
  readonly reason: string;
}

const ownDiagnosis = (thrown: unknown): Diagnosis | undefined =>
  thrown instanceof Http1Error ? { code: thrown.code, reason: thrown.message } : undefined;

const inTls = (thrown: unknown, headSeen: boolean): Diagnosis | undefined => {
  if (!isOfTls(thrown)) return undefined;
  // Its certificate was right, or a record was damaged: the source may continue over another connection.
  if (headSeen || isRecordDamaged(thrown))
    return { code: 'CONNECTION_LOST', reason: `the TLS connection broke (${saying(thrown)})` };
  return { code: 'TLS_FAILED', reason: tlsReason(thrown) };
};

const diagnose = (code: string, message: string, headSeen: boolean): Diagnosis => {
  const text = inWords(code, message, headSeen);
  return { code: kindOf(code, message, headSeen), reason: code ? `${text} (${code})` : text };
};

const inWords = (code: string, message: string, headSeen: boolean): string => {
  if (code === 'UND_ERR_HEADERS_TIMEOUT') return 'the proxy did not open a tunnel in time';
  if (code === 'UND_ERR_SOCKET' && message === 'bad response')
    return 'the server sends 100 Continue, which was not requested and is not read through a proxy';
  if (code === 'UND_ERR_SOCKET' && message === 'bad upgrade')
    return 'the server changes the protocol, which was not requested';
  if (code === SHORT && !headSeen)
    return 'the head is malformed or states the length twice, which is not read through a proxy';
  if (/before secure TLS connection was established/.test(message))
    return 'the connection was closed during the TLS handshake, without a reason';
  return message;
};

const SHORT = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';

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
  // undici reports this for any parser error after a Content-Length, even within the head.
  if (code === SHORT) return headSeen ? 'SHORT_BODY' : 'PROTOCOL_ERROR';
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
