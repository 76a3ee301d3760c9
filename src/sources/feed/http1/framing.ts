import { type Header, membersOf, trimBlanks } from '../../../../pipelines/model/index.ts';
import { malformed } from './errors.ts';
import type { Head } from './head.ts';

/** How a response ends (RFC 9112 section 6.3), and what becomes of its connection. */
export interface Framing {
  /** Bytes of the body, `chunked`, or until the connection is closed. */
  readonly body: number | 'chunked' | 'close';
  /** Another request may follow on the connection. */
  readonly keepAlive: boolean;
  /** Milliseconds that the server says it keeps an unused connection. */
  readonly idle: number | undefined;
  /** The head's fields, a repeated `Content-Length` only once. */
  readonly headers: readonly Header[];
}

/** Of the names of the fields that count. */
const LENGTHS: ReadonlySet<number> = new Set(
  ['content-length', 'transfer-encoding', 'connection', 'keep-alive'].map(({ length }) => length),
);

/** Throws if the fields contradict each other, which could hide the true end of the body. */
export const framingOf = (method: string, { status, headers, isOld }: Head): Framing => {
  let lengths: string | undefined;
  let coding: string | undefined;
  let connection = '';
  let kept: string | undefined;
  for (const [name, value] of headers) {
    // Most fields are others. Their names need no lower case.
    if (!LENGTHS.has(name.length)) continue;
    switch (name.toLowerCase()) {
      case 'content-length':
        lengths = lengths === undefined ? value : `${lengths},${value}`;
        break;
      case 'transfer-encoding':
        coding = coding === undefined ? value : `${coding},${value}`;
        break;
      case 'connection':
        connection += `,${value.toLowerCase()},`;
        break;
      case 'keep-alive':
        kept = value;
    }
  }
  if (coding !== undefined && lengths !== undefined) throw malformed('both Content-Length and Transfer-Encoding');
  if (coding !== undefined && isOld) throw malformed('Transfer-Encoding in a response of HTTP/1.0');
  if (coding !== undefined && coding.toLowerCase() !== 'chunked')
    throw malformed('a Transfer-Encoding other than chunked');
  const length = lengths === undefined ? undefined : lengthOf(lengths);
  const hasNoBody = method === 'HEAD' || status === 204 || status === 304;
  const body = hasNoBody ? 0 : coding === undefined ? (length ?? 'close') : 'chunked';
  const keepAlive = body !== 'close' && (isOld ? mentions(connection, 'keep-alive') : !mentions(connection, 'close'));
  return { body, keepAlive, idle: idleOf(kept), headers: lengths?.includes(',') ? once(headers, length) : headers };
};

/** A list of equal lengths is one length (RFC 9110 section 8.6). */
const lengthOf = (text: string): number => {
  const [length = '', ...others] = text.split(',').map((one) => trimBlanks(one));
  if (others.some((other) => other !== length)) throw malformed('several different lengths');
  if (!/^\d+$/.test(length) || !Number.isSafeInteger(Number(length)))
    throw malformed('a Content-Length that is not a number');
  return Number(length);
};

const once = (headers: readonly Header[], length: number | undefined): Header[] => {
  let seen = false;
  return headers.flatMap((header): Header[] => {
    if (header[0].toLowerCase() !== 'content-length') return [header];
    if (seen) return [];
    seen = true;
    return [[header[0], String(length)]];
  });
};

const mentions = (list: string, option: string): boolean => list.includes(option) && membersOf(list).includes(option);

const idleOf = (kept: string | undefined): number | undefined => {
  const seconds = /(?:^|[,; \t])timeout=(\d{1,9})/i.exec(kept ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
};
