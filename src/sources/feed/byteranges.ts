import { type Header, type Part, type SourceHead, StreamError, trimBlanks } from '../../../pipelines/model/index.ts';
import { headOf } from './answer.ts';
import { sayUrl } from './errors.ts';

interface Read {
  head(head: SourceHead): void;
  /** The bytes are the argument of `write`, or a part of it. */
  data(bytes: Uint8Array): void;
  error(error: StreamError): void;
}

/** Reads one body of `multipart/byteranges` (RFC 9110 section 14.6). */
export interface Byteranges {
  /** Whether the head of the first part has been read. */
  readonly hasBegun: boolean;
  write(bytes: Uint8Array): void;
  end(): void;
}

/** The most bytes of text between the bytes of two parts. */
const MOST = 8 * 1024;

/**
 * Reads a body of the parts that were asked for. Emits a head when the first part begins, then the
 * bytes of the parts. A part may contain several of those that were asked for; the bytes between
 * them are dropped. Errors with `NO_RANGE` if the parts are others, or in another order. A body that
 * ends early has too few bytes, as for any other source.
 */
export const readByteranges = (
  boundary: string,
  answer: { readonly status: number; readonly headers: readonly Header[] },
  wanted: readonly Part[],
  url: URL,
  out: Read,
): Byteranges => {
  const delimiter = `--${boundary}`;
  /** Text after the last part, if it came in pieces. */
  let text = '';
  let total: number | undefined;
  /** The position in the content, and the end of the part that is being read. */
  let at = 0;
  let end = 0;
  /** The index of the wanted part that begins or continues next. */
  let next = 0;
  /** Nothing more is read: all parts have come, or others. */
  let isOver = false;
  let hasFailed = false;

  const fail = (what: string) => {
    if (hasFailed) return;
    isOver = true;
    hasFailed = true;
    const message = `${sayUrl(url)} answered 206 ${what}; expected exactly the requested parts`;
    out.error(new StreamError('NO_RANGE', 'feed', message, { sourceStatus: answer.status }));
  };

  const begin = (headers: string) => {
    const range = /^content-range:[ \t]*(bytes +(\d+)-(\d+)\/(\d+))[ \t]*$/im.exec(headers);
    const [first = 0, last = 0, length = 0] = range?.slice(2).map(Number) ?? [];
    const part = wanted[next];
    const isExpected = part && first <= part.first && part.last <= last && last < length && first >= at;
    if (!range || !isExpected || (total !== undefined && total !== length))
      return fail(range ? `with a part “${range[1]}”` : 'with a part without Content-Range');
    [at, end] = [first, last + 1];
    if (total !== undefined) return;
    total = length;
    const type = /^content-type:([^\r\n]*)$/im.exec(headers)?.[1];
    const others = answer.headers.filter(([name]) => !OF_BODY.has(name.toLowerCase()));
    const fields: readonly Header[] = type === undefined ? others : [...others, ['Content-Type', trimBlanks(type)]];
    const span = { first: part.first, last: wanted.at(-1)?.last };
    out.head({ ...headOf(answer.status, fields, length, span), parts: wanted });
  };

  /** Reads text up to the next part. Returns how many of the bytes belong to it. */
  const readText = (bytes: Uint8Array): number => {
    const before = text.length;
    // The limit is the same in whatever pieces the text comes.
    text += Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MOST - before)).toString('latin1');
    const start = text.indexOf(delimiter) + delimiter.length;
    const isFound = start >= delimiter.length;
    if (isFound && text.startsWith('--', start)) {
      isOver = true;
      return bytes.length;
    }
    const stop = isFound ? text.indexOf('\r\n\r\n', start) : -1;
    if (stop < 0) {
      if (text.length >= MOST) fail('with a part without an end of its head');
      return bytes.length;
    }
    const head = text.slice(start, stop);
    text = '';
    begin(head);
    return stop + 4 - before;
  };

  const pass = (bytes: Uint8Array) => {
    const from = at;
    at += bytes.length;
    for (let part = wanted[next]; part && part.first < at; part = wanted[next]) {
      const piece = bytes.subarray(Math.max(0, part.first - from), Math.min(at, part.last + 1) - from);
      if (part.last < at) next += 1;
      if (piece.length > 0) out.data(piece);
      if (part.last >= at) return;
    }
  };

  return {
    get hasBegun() {
      return total !== undefined;
    },
    write: (bytes) => {
      let rest = bytes;
      while (rest.length > 0 && !isOver) {
        const isPart = at < end;
        const taken = isPart ? Math.min(rest.length, end - at) : readText(rest);
        if (isPart) pass(rest.subarray(0, taken));
        rest = rest.subarray(taken);
      }
    },
    end: () => {
      if (total === undefined) fail('without a part');
    },
  };
};

/** They are those of the body, not of the content. */
const OF_BODY: ReadonlySet<string> = new Set(['content-type', 'content-length']);
