import { messageOf } from './message-of.ts';

/** The origin of a failure. */
export type ErrorSource = 'client' | 'catalog' | 'disk' | 'feed' | 'dispatch' | 'self';

/** The progress of the response: nothing sent, the head sent, or body bytes sent. */
export type Phase = 'before-head' | 'before-first-byte' | 'mid-body';

/**
 * The next step after a failed attempt.
 * - `same`: try this candidate again at once, or another one. The failure is temporary.
 * - `later`: try other candidates first, then this one again.
 * - `other`: try other candidates only.
 * - `never`: give up, since other candidates cannot help.
 */
export type Remedy = 'same' | 'later' | 'other' | 'never';

/** The Proxy Error Types of RFC 9209 section 2.3 that the streamer uses. */
export type ProxyError =
  | 'dns_error'
  | 'destination_not_found'
  | 'destination_unavailable'
  | 'destination_ip_prohibited'
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
  /** The HTTP status of the response that reports the error (RFC 9110 section 15). */
  readonly status: number;
  readonly remedy: Remedy;
  /** The error type in `Proxy-Status`; absent if the sources answered without a failure. */
  readonly proxyError: ProxyError | undefined;
  /** Subject, problem, limit: the text of the response body and of the documentation. */
  readonly meaning: string;
}

const kind = (status: number, remedy: Remedy, proxyError: Kind['proxyError'], meaning: string): Kind => ({
  status,
  remedy,
  proxyError,
  meaning,
});

/**
 * All kinds of failure. Status, retry, `Proxy-Status` and the documentation
 * (docs/reference/errors.md) follow from this table.
 */
// biome-ignore format: a table has one line a row
export const ERRORS = {
  BAD_REQUEST: kind(400, 'never', 'http_request_error', 'the request is malformed'),
  UNEXPECTED_CONTENT: kind(400, 'never', 'http_request_error', 'requests with content are not accepted'),
  REQUEST_TIMEOUT: kind(408, 'never', 'http_request_error', 'the request did not arrive in time (request_timeout)'),
  TARGET_TOO_LONG: kind(414, 'never', 'http_request_error', 'the request target is too long (max_target_length)'),
  UNKNOWN_EXPECTATION: kind(417, 'never', 'http_request_error', 'only the expectation 100-continue is supported'),
  HEAD_TOO_LARGE: kind(431, 'never', 'http_request_error', 'the request head is too large (max_header_size)'),
  WRONG_VERSION: kind(505, 'never', 'http_request_error', 'only HTTP/1.0 and HTTP/1.1 are supported'),
  OVERLOADED: kind(503, 'never', 'proxy_internal_error', 'too many clients (max_transfers, max_client_connections)'),
  TOO_MANY_TRANSFERS: kind(429, 'never', 'http_request_error', 'too many transfers for one client (max_transfers_per_client)'),
  TOO_MANY_MISSES: kind(429, 'never', 'http_request_error', 'one client asked for too many paths that its feed does not have (max_misses)'),
  BAD_TARGET: kind(400, 'never', 'http_request_error', 'the request target is malformed'),
  METHOD_NOT_ALLOWED: kind(405, 'never', 'http_request_error', 'only GET and HEAD are served'),
  URL_REFUSED: kind(403, 'never', 'http_request_denied', 'the URL is not signed for this request'),
  HOST_REFUSED: kind(403, 'never', 'http_request_denied', 'the host is not one that clients may reach through this proxy (proxy_hosts, follow_hosts, proxy_connect), or the client may not use it (proxy_clients)'),
  NOT_IN_CATALOG: kind(404, 'never', 'destination_not_found', 'the catalog has no entry for the path'),
  CATALOG_UNAVAILABLE: kind(503, 'never', 'proxy_internal_error', 'the catalog is unavailable'),
  NOT_KEPT: kind(404, 'never', 'destination_not_found', 'the feed no longer has a file of an earlier revision, and no copy of it was kept'),
  NO_CANDIDATE: kind(502, 'never', 'destination_not_found', 'the catalog has an entry for the path, but no source offers it'),

  SOURCE_MISSING: kind(404, 'other', undefined, 'the source does not have the file (404, 410, no such file)'),
  IS_FOLDER: kind(404, 'other', undefined, 'the source has a folder at the path, whose own path ends with a slash'),
  SOURCE_REFUSED: kind(502, 'other', 'proxy_configuration_error', 'the source refuses access (401, 403, 407, no permission)'),
  SOURCE_STATUS: kind(502, 'other', 'destination_unavailable', 'the source answered with an unexpected status, or with 203 for content without a checksum'),
  SOURCE_FAILED: kind(502, 'later', 'destination_unavailable', 'the source failed (408, 500, 502, 504)'),
  SOURCE_BUSY: kind(503, 'later', 'destination_unavailable', 'the source is busy (429, 503)'),
  SOURCE_FULL: kind(503, 'later', 'connection_limit_reached', 'too many transfers from the source (max_concurrent, max_downloads, max_connections)'),
  SOURCE_BROKEN: kind(502, 'other', 'proxy_configuration_error', 'the source is misconfigured (credentials, URL, importer)'),
  TOO_MANY_REDIRECTS: kind(502, 'other', 'http_protocol_error', 'the source sends too many redirects (max_redirects), or one that cannot be followed'),
  ADDRESS_REFUSED: kind(502, 'other', 'destination_ip_prohibited', 'the source leads to an address of this machine or of an internal network (feed_networks)'),
  OUTSIDE_ROOT: kind(502, 'other', 'proxy_configuration_error', 'the file is outside the folder of its source (file_roots)'),
  UNREADABLE: kind(502, 'same', 'destination_unavailable', 'the file cannot be read'),

  DNS_FAILED: kind(502, 'same', 'dns_error', 'the host name of the source cannot be resolved'),
  CONNECT_FAILED: kind(502, 'same', 'connection_refused', 'the source cannot be reached'),
  CONNECT_TIMEOUT: kind(504, 'later', 'connection_timeout', 'the connection to the source timed out (connect_timeout)'),
  TLS_FAILED: kind(502, 'other', 'tls_certificate_error', 'the TLS handshake failed: a certificate is wrong, missing, expired or too weak, or the protocol too old'),
  CONNECTION_LOST: kind(502, 'same', 'connection_terminated', 'the source closed the connection too early'),
  PROTOCOL_ERROR: kind(502, 'other', 'http_protocol_error', 'the source sends malformed HTTP'),
  HEAD_TIMEOUT: kind(504, 'later', 'http_response_timeout', 'the source sent no response head in time (head_timeout)'),
  STALLED: kind(504, 'later', 'connection_read_timeout', 'the source stopped sending (read_timeout)'),
  TOO_SLOW: kind(504, 'later', 'http_response_timeout', 'the source is too slow (min_speed)'),

  WRONG_LENGTH: kind(502, 'other', 'http_protocol_error', 'the length at the source differs from the expected length'),
  TOO_LARGE: kind(502, 'other', 'http_response_body_size', 'the content is too large (size_limit)'),
  SHORT_BODY: kind(502, 'same', 'http_response_incomplete', 'the body ended too early'),
  WRONG_CHECKSUM: kind(502, 'other', 'http_protocol_error', 'the content does not match the catalog’s checksum'),
  WRONG_CODING: kind(502, 'same', 'http_protocol_error', 'the source compresses the content, which was not asked for'),
  KNOWN_WRONG: kind(502, 'other', 'http_protocol_error', 'the content was found wrong before, and has not changed since'),
  CHANGED: kind(502, 'other', 'http_protocol_error', 'the content changed during the transfer, or cannot be proven unchanged'),
  NO_RANGE: kind(502, 'other', 'http_protocol_error', 'the source cannot start at the requested byte'),
  NEEDS_WHOLE: kind(502, 'other', 'http_protocol_error', 'the part must be cut from the whole: the source sends no parts, or the part alone could not be verified'),
  LENGTH_UNKNOWN: kind(502, 'other', 'http_protocol_error', 'the source states no length, so the client could not detect an incomplete body'),
  UNSATISFIABLE: kind(416, 'other', undefined, 'the requested range is outside the content'),

  ANSWER_TIMEOUT: kind(504, 'never', 'proxy_internal_error', 'no source could be asked in time, or had a fair time to answer (answer_timeout)'),
  OUT_OF_SOURCES: kind(502, 'never', 'destination_unavailable', 'every source failed'),
  CLIENT_STUCK: kind(408, 'never', 'http_request_error', 'the client stopped reading (client_timeout)'),
  INTERNAL: kind(500, 'never', 'proxy_internal_error', 'a defect of the streamer'),
} satisfies Record<string, Kind>;

/** The stable code of an error: a key of `ERRORS`. */
export type ErrorCode = keyof typeof ERRORS;

interface Details {
  readonly cause?: unknown;
  /** The status of the source's answer, if it answered. */
  readonly sourceStatus?: number;
  /** Milliseconds until the source may be asked again (`Retry-After`). */
  readonly retryAfter?: number;
  /** Bytes of the whole content, if the requested range is outside it. */
  readonly length?: number;
  /** What a client may know of the problem: it names no source. */
  readonly told?: string;
  /** The state of the content that was found wrong, as its source described it: see `stateOf`. */
  readonly state?: string;
}

/**
 * The streamer's only error type. `code` is stable. `message` names the problem, its place, and the
 * expected value.
 */
export class StreamError extends Error {
  override readonly name = 'StreamError';
  readonly code: ErrorCode;
  readonly source: ErrorSource;
  readonly sourceStatus: number | undefined;
  readonly retryAfter: number | undefined;
  readonly length: number | undefined;
  readonly state: string | undefined;
  readonly told: string | undefined;

  constructor(code: ErrorCode, source: ErrorSource, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.source = source;
    this.sourceStatus = details.sourceStatus;
    this.retryAfter = details.retryAfter;
    this.length = details.length;
    this.state = details.state;
    this.told = details.told;
  }
}

/** Any exception as a StreamError. An unknown one is a defect of the streamer: `INTERNAL`. */
export const toStreamError = (error: unknown): StreamError =>
  error instanceof StreamError ? error : new StreamError('INTERNAL', 'self', messageOf(error), { cause: error });

/**
 * The HTTP status of the response to an error (RFC 9110 section 15). With `legacy`, every failure
 * of the sources is 404, as in Pulp 2.
 */
export const statusOf = (code: ErrorCode, legacy = false): number => {
  const { status, remedy } = ERRORS[code];
  const sourcesFailed = status === 502 || status === 504 || (status === 503 && remedy !== 'never');
  return legacy && sourcesFailed ? 404 : status;
};

/** The next step after a failed attempt. */
export const remedyOf = (error: StreamError): Remedy => ERRORS[error.code].remedy;
