import { type Field, fieldOf, fieldsNamed, fieldsOf } from './fields.ts';

/**
 * The end of a body: all of it arrived, the connection was closed too early, it was reset, nothing
 * arrived for too long, or the client left.
 */
export type End = 'whole' | 'short' | 'reset' | 'silent' | 'left';

/** A response as it was read from a connection. */
export interface Answer {
  /** 0 without a head. */
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: Buffer;
  readonly end: End;
  /** Broken rules of RFC 9112. */
  readonly problems: readonly string[];
  /** Neither length nor chunks: the end of the connection is the end of the body. */
  readonly untilClose: boolean;
}

interface Framing {
  readonly kind: 'none' | 'length' | 'chunked' | 'close';
  readonly length: number;
}

const CRLF = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const EMPTY = Buffer.alloc(0);

/** How the body of a response is delimited (RFC 9112 section 6.3). */
const framingOf = (method: string, http: string, answer: Pick<Answer, 'status' | 'fields'>, problems: string[]) => {
  const { status } = answer;
  const codings = fieldOf(answer, 'transfer-encoding');
  const lengths = fieldsNamed(answer, 'content-length');
  if (lengths.length > 1 || lengths.some((length) => !/^\d{1,15}$/.test(length)))
    problems.push(`Content-Length ${lengths.join(', ')}`);
  if (codings !== undefined && lengths.length > 0) problems.push('both Transfer-Encoding and Content-Length');
  if (codings !== undefined && http === '1.0') problems.push('Transfer-Encoding to an HTTP/1.0 client');
  const of = (kind: Framing['kind'], length = 0): Framing => ({ kind, length });
  if (method === 'HEAD' || status === 204 || status === 304) return of('none');
  if (codings !== undefined) {
    if (codings.toLowerCase() !== 'chunked') problems.push(`Transfer-Encoding ${codings}`);
    return of('chunked');
  }
  return lengths.length > 0 ? of('length', Number(lengths[0])) : of('close');
};

/** Reads one response as its bytes arrive. */
export interface Reader {
  /** Returns whether the response is whole. */
  push(bytes: Buffer): boolean;
  /** Bytes of the body so far. */
  received(): number;
  /** Bytes after the end of the response. */
  left(): Buffer;
  /** Whether any byte has arrived. */
  begun(): boolean;
  /** The connection has ended, or the client stops reading. */
  finish(how: Exclude<End, 'whole'>): Answer;
  whole(): Answer;
}

/**
 * A reader of the response to a request with this method, from a client of this version. It skips
 * interim responses.
 */
export const readResponse = (method: string, http: '1.0' | '1.1'): Reader => {
  const problems: string[] = [];
  const body: Buffer[] = [];
  let rest: Buffer = EMPTY;
  let any = false;
  let received = 0;
  let status = 0;
  let fields: readonly Field[] = [];
  let framing: Framing | undefined;
  /** Bytes of the body, or of a chunk, that are still to come. */
  let due = 0;
  let at: 'head' | 'bytes' | 'size' | 'after chunk' | 'trailer' | 'done' = 'head';

  const line = (): string | undefined => {
    const end = rest.indexOf(CRLF);
    if (end < 0) return undefined;
    const text = rest.toString('latin1', 0, end);
    rest = rest.subarray(end + 2);
    return text;
  };

  const readHead = (): boolean => {
    const end = rest.indexOf(HEAD_END);
    if (end < 0) return false;
    const [first = '', ...lines] = rest.toString('latin1', 0, end).split('\r\n');
    rest = rest.subarray(end + 4);
    const [, code] = /^HTTP\/1\.[01] ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*$/.exec(first) ?? [];
    if (code === undefined) problems.push(`status line ${JSON.stringify(first.slice(0, 60))}`);
    status = Number(code ?? 0);
    fields = fieldsOf(lines, problems);
    if (status >= 100 && status < 200) return true;
    framing = framingOf(method, http, { status, fields }, problems);
    const { kind, length } = framing;
    due = kind === 'close' ? Number.POSITIVE_INFINITY : length;
    at = kind === 'chunked' ? 'size' : due > 0 ? 'bytes' : 'done';
    return true;
  };

  const readBytes = (): boolean => {
    if (rest.length === 0) return false;
    const some = rest.subarray(0, due);
    rest = rest.subarray(some.length);
    body.push(some);
    received += some.length;
    due -= some.length;
    if (due === 0) at = framing?.kind === 'chunked' ? 'after chunk' : 'done';
    return true;
  };

  const readLine = (): boolean => {
    const text = line();
    if (text === undefined) return false;
    if (at === 'size') {
      const [, size] = /^([0-9A-Fa-f]{1,8})(?:[ \t]*;.*)?$/.exec(text) ?? [];
      if (size === undefined) problems.push(`chunk size ${JSON.stringify(text.slice(0, 60))}`);
      due = Number.parseInt(size ?? '0', 16);
      at = due > 0 ? 'bytes' : 'trailer';
    } else if (at === 'after chunk') {
      if (text !== '') problems.push(`after a chunk ${JSON.stringify(text.slice(0, 60))}`);
      at = 'size';
    } else if (text === '') at = 'done';
    return true;
  };

  const step = (): boolean => {
    if (at === 'done') return false;
    if (at === 'head') return readHead();
    return at === 'bytes' ? readBytes() : readLine();
  };

  const answer = (end: End): Answer => {
    const untilClose = framing?.kind === 'close' && status !== 0;
    return { status, fields, body: Buffer.concat(body), end, problems, untilClose };
  };

  return {
    push: (bytes) => {
      any ||= bytes.length > 0;
      rest = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes;
      while (step());
      return at === 'done';
    },
    received: () => received,
    left: () => rest,
    begun: () => any,
    finish: (how) => answer(how === 'short' && framing?.kind === 'close' ? 'whole' : how),
    whole: () => answer('whole'),
  };
};
