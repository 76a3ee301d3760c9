import { type ErrorCode, StreamError } from '../../../pipelines/model/index.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';

/** What the client of the store throws. */
interface ServiceError {
  readonly name?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const serviceError = (thrown: unknown): ServiceError =>
  typeof thrown === 'object' && thrown !== null ? (thrown as ServiceError) : {};

/** Whether an object, or an upload, is not there. A bucket or a user that is not there is another matter. */
export const isAbsence = (thrown: unknown): boolean => {
  const { name = '', $metadata } = serviceError(thrown);
  return $metadata?.httpStatusCode === 404 && ABSENT.has(name);
};

/** An answer to HEAD has no text that says more. */
const ABSENT: ReadonlySet<string> = new Set(['NoSuchKey', 'NoSuchUpload', 'NotFound']);

/** Turns an error of the client into a StreamError with the URL of the object and the reason. */
export const storeError = (thrown: unknown, url: string): StreamError => {
  if (thrown instanceof StreamError) return thrown;
  const { name = '', $metadata } = serviceError(thrown);
  const status = $metadata?.httpStatusCode;
  const code = status === undefined ? kindOf(name, codeOf(thrown)) : ofStatus(status, name);
  const reason = status === undefined ? reasonOf(thrown, name) : `the store answered ${status} (${said(thrown, name)})`;
  return new StreamError(code, 'feed', `${url}: ${reason}`, { cause: thrown, sourceStatus: status });
};

const STATUSES: Readonly<Record<number, ErrorCode>> = {
  401: 'SOURCE_REFUSED',
  403: 'SOURCE_REFUSED',
  404: 'SOURCE_MISSING',
  408: 'SOURCE_FAILED',
  412: 'CHANGED',
  429: 'SOURCE_BUSY',
  503: 'SOURCE_BUSY',
};

const ofStatus = (status: number, name: string): ErrorCode => {
  if (status === 404 && !ABSENT.has(name)) return 'SOURCE_BROKEN';
  // The answer was cut, or is not one of a store.
  if (status < 300) return 'CONNECTION_LOST';
  return STATUSES[status] ?? (status >= 500 ? 'SOURCE_FAILED' : 'SOURCE_STATUS');
};

const KINDS: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'CONNECT_FAILED',
  EHOSTUNREACH: 'CONNECT_FAILED',
  ENETUNREACH: 'CONNECT_FAILED',
  ENOTFOUND: 'DNS_FAILED',
  EAI_AGAIN: 'DNS_FAILED',
};

const kindOf = (name: string, code: string): ErrorCode => {
  if (isTimeout(name, code)) return 'HEAD_TIMEOUT';
  if (/^(Credentials|Token)\w*Error$/.test(name)) return 'SOURCE_BROKEN';
  if (isOfTls(code)) return 'TLS_FAILED';
  return KINDS[code] ?? 'CONNECTION_LOST';
};

const isOfTls = (code: string): boolean => /^ERR_(TLS|SSL)|CERT|^(UNABLE_TO_|DEPTH_ZERO|HOSTNAME_MISMATCH)/.test(code);

/** The client gives connections that broke the name of a time-out. */
const isTimeout = (name: string, code: string): boolean =>
  name === 'AbortError' || (name === 'TimeoutError' && !/^(ECONNRESET|EPIPE)$/.test(code));

const reasonOf = (thrown: unknown, name: string): string => {
  if (isTimeout(name, codeOf(thrown))) return 'the store did not answer in time';
  return name === 'TimeoutError' ? `the connection broke (${codeOf(thrown)})` : said(thrown, name);
};

/** The client has no text for answers without a body. */
const said = (thrown: unknown, name: string): string => {
  const message = messageOf(thrown);
  const told = message === '' || message === 'UnknownError' ? '' : message;
  return [/^(Error|)$/.test(name) ? '' : name, told].filter((one) => one !== '').join(': ') || 'without a reason';
};
