import { messageOf } from './message-of.ts';

/** Where a failure arose. */
export type ErrorSource = 'client' | 'catalog' | 'disk' | 'feed' | 'dispatch' | 'self';

/** How far the response had come: nothing told, the head told, or body bytes told. */
export type Phase = 'before-head' | 'before-first-byte' | 'mid-body';

/**
 * What may be done about a failed attempt:
 * `same` – the candidate may be tried again at once (a passing failure), or another one;
 * `later` – another candidate is the better choice, this one may be tried again after the others;
 * `other` – only another candidate can help;
 * `never` – no candidate can help.
 */
export type Remedy = 'same' | 'later' | 'other' | 'never';

/** Those of the Proxy Error Types of RFC 9209 section 2.3 that we have a use for. */
export type ProxyError =
  | 'dns_error'
  | 'destination_not_found'
  | 'destination_unavailable'
  | 'connection_refused'
  | 'connection_terminated'
  | 'connection_timeout'
  | 'connection_read_timeout'
  | 'connection_limit_reached'
  | 'tls_certificate_error'
  | 'http_request_error'
  | 'http_request_denied'
  | 'http_response_incomplete'
  | 'http_response_body_size'
  | 'http_response_timeout'
  | 'http_protocol_error'
  | 'proxy_internal_error'
  | 'proxy_configuration_error';

interface Kind {
  /** The HTTP status that a client gets when this is why there is no response (RFC 9110 section 15). */
  readonly status: number;
  readonly remedy: Remedy;
  /** How `Proxy-Status` tells it; nothing where the sources themselves gave the answer, and nothing went wrong. */
  readonly proxyError: ProxyError | undefined;
  readonly meaning: string;
}

const kind = (status: number, remedy: Remedy, proxyError: Kind['proxyError'], meaning: string): Kind => ({
  status,
  remedy,
  proxyError,
  meaning,
});

/** Every way to fail: the one table from which status, retry, `Proxy-Status` and documentation (docs/reference/errors.md) follow. */
// biome-ignore format: a table has one line a row
export const ERRORS = {
  BAD_REQUEST: kind(400, 'never', 'http_request_error', 'the request is malformed'),
  UNEXPECTED_CONTENT: kind(400, 'never', 'http_request_error', 'a request with content is not served'),
  REQUEST_TIMEOUT: kind(408, 'never', 'http_request_error', 'the request did not come in time (request_timeout)'),
  TARGET_TOO_LONG: kind(414, 'never', 'http_request_error', 'the request target is longer than is allowed (max_target_length)'),
  UNKNOWN_EXPECTATION: kind(417, 'never', 'http_request_error', 'no expectation but 100-continue is understood'),
  HEAD_TOO_LARGE: kind(431, 'never', 'http_request_error', 'the head of the request is larger than is allowed (max_header_size)'),
  WRONG_VERSION: kind(505, 'never', 'http_request_error', 'only HTTP/1.0 and HTTP/1.1 are spoken'),
  OVERLOADED: kind(503, 'never', 'proxy_internal_error', 'as many clients as can be served are being served (max_transfers, max_client_connections)'),
  TOO_MANY_TRANSFERS: kind(429, 'never', 'http_request_error', 'as many transfers as one client may have are under way (max_transfers_per_client)'),
  BAD_TARGET: kind(400, 'never', 'http_request_error', 'the request target is malformed'),
  METHOD_NOT_ALLOWED: kind(405, 'never', 'http_request_error', 'only GET and HEAD are served'),
  URL_REFUSED: kind(403, 'never', 'http_request_denied', 'the URL is not signed for this request'),
  NOT_IN_CATALOG: kind(404, 'never', 'destination_not_found', 'the catalog has no entry for the path'),
  CATALOG_UNAVAILABLE: kind(503, 'never', 'proxy_internal_error', 'the catalog cannot be asked'),
  NO_CANDIDATE: kind(502, 'never', 'destination_not_found', 'an entry exists, but no source offers it'),

  SOURCE_MISSING: kind(404, 'other', undefined, 'the source does not have the file (404, 410, no such file)'),
  SOURCE_REFUSED: kind(502, 'other', 'proxy_configuration_error', 'the source refuses us (401, 403, 407, no permission)'),
  SOURCE_STATUS: kind(502, 'other', 'destination_unavailable', 'the source answered with an unexpected status'),
  SOURCE_BUSY: kind(503, 'later', 'destination_unavailable', 'the source asks to come back later (429, 503)'),
  SOURCE_FULL: kind(503, 'later', 'connection_limit_reached', 'as many transfers as we may have at the source are under way (max_concurrent, max_downloads)'),
  SOURCE_BROKEN: kind(502, 'other', 'proxy_configuration_error', 'the source is configured wrongly (credentials, URL, importer)'),
  TOO_MANY_REDIRECTS: kind(502, 'other', 'http_protocol_error', 'the source redirects in circles or to nowhere'),
  OUTSIDE_ROOT: kind(502, 'other', 'proxy_configuration_error', 'the file lies outside its source’s folder'),
  UNREADABLE: kind(502, 'same', 'destination_unavailable', 'the file cannot be read'),

  DNS_FAILED: kind(502, 'same', 'dns_error', 'the host name of the source cannot be resolved'),
  CONNECT_FAILED: kind(502, 'same', 'connection_refused', 'no connection to the source'),
  CONNECT_TIMEOUT: kind(504, 'later', 'connection_timeout', 'no connection to the source in time'),
  TLS_FAILED: kind(502, 'other', 'tls_certificate_error', 'the TLS handshake failed: a certificate is wrong, missing or expired'),
  CONNECTION_LOST: kind(502, 'same', 'connection_terminated', 'the source closed the connection too early'),
  PROTOCOL_ERROR: kind(502, 'other', 'http_protocol_error', 'the source does not speak HTTP properly'),
  HEAD_TIMEOUT: kind(504, 'later', 'http_response_timeout', 'no response head from the source in time'),
  STALLED: kind(504, 'later', 'connection_read_timeout', 'the source stopped sending'),
  TOO_SLOW: kind(504, 'later', 'http_response_timeout', 'the source sends more slowly than is allowed'),

  WRONG_LENGTH: kind(502, 'other', 'http_protocol_error', 'the source’s length is not the one expected'),
  TOO_LARGE: kind(502, 'other', 'http_response_body_size', 'the content is larger than is allowed'),
  SHORT_BODY: kind(502, 'same', 'http_response_incomplete', 'the body ended too early'),
  WRONG_CHECKSUM: kind(502, 'other', 'http_protocol_error', 'the content does not match the catalog’s checksum'),
  CHANGED: kind(502, 'other', 'http_protocol_error', 'the source’s file changed while it was being sent, or cannot be proven the same'),
  NO_RANGE: kind(502, 'other', 'http_protocol_error', 'the source cannot continue in mid-body'),
  LENGTH_UNKNOWN: kind(502, 'other', 'http_protocol_error', 'the source does not say how long the content is, and the client, behind a cache, could not see that it breaks off'),
  UNSATISFIABLE: kind(416, 'other', undefined, 'the content has none of the bytes that were asked for'),

  OUT_OF_SOURCES: kind(502, 'never', 'destination_unavailable', 'every candidate failed'),
  CLIENT_STUCK: kind(408, 'never', 'http_request_error', 'the client stopped reading'),
  INTERNAL: kind(500, 'never', 'proxy_internal_error', 'a defect of the streamer'),
} satisfies Record<string, Kind>;

export type ErrorCode = keyof typeof ERRORS;

interface Details {
  readonly cause?: unknown;
  /** The status that the source answered with, where it did. */
  readonly sourceStatus?: number;
  /** Milliseconds after which the source wants to be asked again (`Retry-After`). */
  readonly retryAfter?: number;
  /** Bytes of the content, where that is why none of those asked for are there. */
  readonly length?: number;
}

/** The one error type of the streamer. `code` is stable; `message` names what was wrong, where, and what was expected. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
  readonly code: ErrorCode;
  readonly source: ErrorSource;
  readonly sourceStatus: number | undefined;
  readonly retryAfter: number | undefined;
  readonly length: number | undefined;

  constructor(code: ErrorCode, source: ErrorSource, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.source = source;
    this.sourceStatus = details.sourceStatus;
    this.retryAfter = details.retryAfter;
    this.length = details.length;
  }
}

/** Whatever was thrown, as a StreamError: an unknown one is a defect of ours and says so. */
export const toStreamError = (error: unknown): StreamError =>
  error instanceof StreamError ? error : new StreamError('INTERNAL', 'self', messageOf(error), { cause: error });

/**
 * The HTTP status that tells a client about an error (RFC 9110 section 15). `legacy`: as Pulp 2 had it, which answered 404 whatever was
 * wrong with the sources.
 */
export const statusOf = (code: ErrorCode, legacy = false): number => {
  const { status, remedy } = ERRORS[code];
  const sourcesFailed = status === 502 || status === 504 || (status === 503 && remedy !== 'never');
  return legacy && sourcesFailed ? 404 : status;
};

/** What may be done about a failed attempt. */
export const remedyOf = (error: StreamError): Remedy => ERRORS[error.code].remedy;
