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

interface Kind {
  /** The HTTP status that a client gets when this is why there is no response (RFC 9110 section 15). */
  readonly status: number;
  readonly remedy: Remedy;
  readonly meaning: string;
}

/** Every way to fail: the one table from which status, retry and documentation follow. */
export const ERRORS = {
  BAD_TARGET: { status: 400, remedy: 'never', meaning: 'the request target is malformed' },
  METHOD_NOT_ALLOWED: { status: 405, remedy: 'never', meaning: 'only GET and HEAD are served' },
  NOT_IN_CATALOG: { status: 404, remedy: 'never', meaning: 'the catalog has no entry for the path' },
  CATALOG_UNAVAILABLE: { status: 503, remedy: 'never', meaning: 'the catalog cannot be asked' },
  NO_CANDIDATE: { status: 502, remedy: 'never', meaning: 'an entry exists, but no source offers it' },

  SOURCE_MISSING: {
    status: 404,
    remedy: 'other',
    meaning: 'the source does not have the file (404, 410, no such file)',
  },
  SOURCE_REFUSED: { status: 502, remedy: 'other', meaning: 'the source refuses us (401, 403, 407, no permission)' },
  SOURCE_STATUS: { status: 502, remedy: 'other', meaning: 'the source answered with an unexpected status' },
  SOURCE_BUSY: { status: 503, remedy: 'later', meaning: 'the source asks to come back later (429, 503)' },
  SOURCE_FULL: {
    status: 503,
    remedy: 'later',
    meaning: 'as many transfers as we may have at the source are under way (max_concurrent, max_downloads)',
  },
  SOURCE_BROKEN: {
    status: 502,
    remedy: 'other',
    meaning: 'the source is configured wrongly (credentials, URL, importer)',
  },
  TOO_MANY_REDIRECTS: { status: 502, remedy: 'other', meaning: 'the source redirects in circles or to nowhere' },
  OUTSIDE_ROOT: { status: 502, remedy: 'other', meaning: 'the file lies outside its source’s folder' },
  UNREADABLE: { status: 502, remedy: 'same', meaning: 'the file cannot be read' },

  DNS_FAILED: { status: 502, remedy: 'same', meaning: 'the host name of the source cannot be resolved' },
  CONNECT_FAILED: { status: 502, remedy: 'same', meaning: 'no connection to the source' },
  CONNECT_TIMEOUT: { status: 504, remedy: 'later', meaning: 'no connection to the source in time' },
  TLS_FAILED: {
    status: 502,
    remedy: 'other',
    meaning: 'the TLS handshake failed: a certificate is wrong, missing or expired',
  },
  CONNECTION_LOST: { status: 502, remedy: 'same', meaning: 'the source closed the connection too early' },
  PROTOCOL_ERROR: { status: 502, remedy: 'other', meaning: 'the source does not speak HTTP properly' },
  HEAD_TIMEOUT: { status: 504, remedy: 'later', meaning: 'no response head from the source in time' },
  STALLED: { status: 504, remedy: 'later', meaning: 'the source stopped sending' },
  TOO_SLOW: { status: 504, remedy: 'later', meaning: 'the source sends more slowly than is allowed' },

  WRONG_LENGTH: { status: 502, remedy: 'other', meaning: 'the source’s length is not the one expected' },
  TOO_LARGE: { status: 502, remedy: 'other', meaning: 'the content is larger than is allowed' },
  SHORT_BODY: { status: 502, remedy: 'same', meaning: 'the body ended too early' },
  WRONG_CHECKSUM: { status: 502, remedy: 'other', meaning: 'the content does not match the catalog’s checksum' },
  CHANGED: {
    status: 502,
    remedy: 'other',
    meaning: 'the source’s file changed while it was being sent, or cannot be proven the same',
  },
  NO_RANGE: { status: 502, remedy: 'other', meaning: 'the source cannot continue in mid-body' },

  OUT_OF_SOURCES: { status: 502, remedy: 'never', meaning: 'every candidate failed' },
  CLIENT_STUCK: { status: 408, remedy: 'never', meaning: 'the client stopped reading' },
  INTERNAL: { status: 500, remedy: 'never', meaning: 'a defect of the streamer' },
} as const satisfies Record<string, Kind>;

export type ErrorCode = keyof typeof ERRORS;

interface Details {
  readonly cause?: unknown;
  /** The status that the source answered with, where it did. */
  readonly sourceStatus?: number;
  /** Milliseconds after which the source wants to be asked again (`Retry-After`). */
  readonly retryAfter?: number;
}

/** The one error type of the streamer. `code` is stable; `message` names what was wrong, where, and what was expected. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
  readonly code: ErrorCode;
  readonly source: ErrorSource;
  readonly sourceStatus: number | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: ErrorCode, source: ErrorSource, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.source = source;
    this.sourceStatus = details.sourceStatus;
    this.retryAfter = details.retryAfter;
  }
}

/** Whatever was thrown, as a StreamError: an unknown one is a defect of ours and says so. */
export const toStreamError = (error: unknown): StreamError =>
  error instanceof StreamError
    ? error
    : new StreamError('INTERNAL', 'self', error instanceof Error ? error.message : String(error), { cause: error });

/** The HTTP status that tells a client about an error (RFC 9110 section 15). */
export const statusOf = (error: StreamError): number => ERRORS[error.code].status;

/** What may be done about a failed attempt. */
export const remedyOf = (error: StreamError): Remedy => ERRORS[error.code].remedy;
