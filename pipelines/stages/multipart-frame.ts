import { field, type Head, type Header, type Part, sizeOf } from '../model/index.ts';

/** All of a multipart body except the parts' own bytes (RFC 2046 section 5.1). */
export interface Frame {
  /** The head of the response. */
  readonly head: Head;
  /** The bytes before a part. */
  readonly title: (part: Part) => Uint8Array;
  /** The bytes after the last part. */
  readonly closing: Uint8Array;
}

/** The frame of parts, with the fields of the first transfer. The id distinguishes the boundary. */
export const frameOf = (head: Head, length: number, parts: readonly Part[], id: string): Frame => {
  const boundary = `pulp-streamer-${id.replace(/[^0-9A-Za-z-]/g, '')}`.slice(0, 70);
  const type = field(head.headers, 'content-type');
  const title = ({ first, last }: Part) =>
    bytesOf(
      [
        // Also before the first part: some clients expect the line break there (RFC 2046 section
        // 5.1.1 makes it a part of the delimiter).
        `\r\n--${boundary}`,
        ...(type === undefined ? [] : [`Content-Type: ${type}`]),
        `Content-Range: bytes ${first}-${last}/${length}`,
        '\r\n',
      ].join('\r\n'),
    );
  const closing = bytesOf(`\r\n--${boundary}--\r\n`);
  const size = parts.reduce((sum, part) => sum + title(part).length, sizeOf(parts) + closing.length);
  const others = head.headers.filter(([name]) => !OF_PARTS.has(name.toLowerCase()));
  const headers: readonly Header[] = [...others, ['Content-Type', `multipart/byteranges; boundary=${boundary}`]];
  return { head: { ...head, status: 206, length: size, whole: false, headers }, title, closing };
};

/** Fields that each part has. */
const OF_PARTS: ReadonlySet<string> = new Set(['content-type', 'content-range']);

/** Header fields are Latin-1 on the wire. */
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
