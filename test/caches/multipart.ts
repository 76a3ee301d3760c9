import { fieldsOf } from './fields.ts';

/** A part of content, with the position that the response states. */
export interface Piece {
  readonly first: number;
  readonly last: number;
  /** Bytes of the whole; absent if the response states `*`. */
  readonly total?: number;
  readonly bytes: Buffer;
}

/** Reads a `Content-Range`. */
export const rangeOf = (text: string | undefined): Omit<Piece, 'bytes'> | undefined => {
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(text ?? '') ?? [];
  if (first === undefined || total === undefined) return undefined;
  return { first: Number(first), last: Number(last), ...(total !== '*' && { total: Number(total) }) };
};

/**
 * The parts of a body of `multipart/byteranges` (RFC 9110 section 14.6), or what is wrong with it. Each
 * part must have the length in its Content-Range, and be followed by a delimiter.
 */
export const piecesOf = (contentType: string, body: Buffer): readonly Piece[] | string => {
  const [, quoted, plain] = /^multipart\/byteranges *; *boundary=(?:"([^"]+)"|([^\s;"]+))$/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) return `Content-Type ${contentType}`;
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  const pieces: Piece[] = [];
  // Some servers omit the CRLF of the first delimiter.
  let at = body.indexOf(delimiter.subarray(2)) === 0 ? delimiter.length - 2 : delimiter.length;
  if (at === delimiter.length && body.indexOf(delimiter) !== 0) return 'it does not begin with a delimiter';
  for (;;) {
    const after = body.toString('latin1', at, at + 2);
    if (after === '--') break;
    const end = body.indexOf('\r\n\r\n', at);
    if (after !== '\r\n' || end < 0) return `after delimiter ${pieces.length}: ${JSON.stringify(after)}`;
    const problems: string[] = [];
    const fields = fieldsOf(body.toString('latin1', at + 2, end).split('\r\n'), problems);
    const range = rangeOf(fields.find(([name]) => name.toLowerCase() === 'content-range')?.[1]);
    if (problems[0] !== undefined || !range) return problems[0] ?? `part ${pieces.length} without Content-Range`;
    const start = end + 4;
    at = start + range.last - range.first + 1;
    if (range.last < range.first || at > body.length) return `part ${pieces.length} ends early`;
    if (!body.subarray(at, at + delimiter.length).equals(delimiter)) return `no delimiter after part ${pieces.length}`;
    pieces.push({ ...range, bytes: body.subarray(start, at) });
    at += delimiter.length;
  }
  const rest = body.toString('latin1', at + 2);
  return rest === '' || rest === '\r\n' ? pieces : `${rest.length} bytes after the last delimiter`;
};
