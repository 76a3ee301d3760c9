import type { ErrorCode } from '../../../../pipelines/model/index.ts';

/** A failure of a response or a connection, without the URL that `feedError` adds. */
export class Http1Error extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = 'Http1Error';
    this.code = code;
  }
}

/** The response is not valid HTTP/1.1. */
export const malformed = (what: string): Http1Error => new Http1Error('PROTOCOL_ERROR', what);

/** The connection ended before the response did. */
export const lost = (what: string): Http1Error => new Http1Error('CONNECTION_LOST', what);
