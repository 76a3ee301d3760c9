import { describe, expect, it } from '@jest/globals';
import type { Part, SourceHead, StreamError } from '../../../../pipelines/index.ts';
import { readByteranges } from '../../../../src/sources/feed/byteranges.ts';

const CONTENT = Array.from({ length: 500 }, (_, at) => String.fromCharCode(33 + (at % 90))).join('');
const WANTED: readonly Part[] = [
  { first: 0, last: 4 },
  { first: 100, last: 199 },
  { first: 499, last: 499 },
];
const text = ({ first, last }: Part) => CONTENT.slice(first, last + 1);
const part = (range: Part, length = 500, more = 'Content-Type: text/x\r\n') =>
  `\r\n--sep\r\n${more}Content-Range: bytes ${range.first}-${range.last}/${length}\r\n\r\n${text(range)}`;
const END = '\r\n--sep--\r\n';
const RIGHT = `${WANTED.map((each) => part(each)).join('')}${END}`;

/** Reads a body in pieces of a size. */
const read = (body: string, size = body.length) => {
  const heads: SourceHead[] = [];
  let data = '';
  let error: StreamError | undefined;
  const headers = [
    ['ETag', '"1"'],
    ['Content-Type', 'multipart/byteranges; boundary=sep'],
    ['Content-Length', `${body.length}`],
  ] as const;
  const reader = readByteranges('sep', { status: 206, headers }, WANTED, new URL('http://feed/a'), {
    head: (head) => heads.push(head),
    data: (bytes) => {
      data += Buffer.from(bytes).toString('latin1');
    },
    error: (thrown) => {
      error = thrown;
    },
  });
  for (let at = 0; at < body.length; at += size) reader.write(Buffer.from(body.slice(at, at + size), 'latin1'));
  reader.end();
  return { heads, data, error };
};

describe('a body of several parts', () => {
  it('has the whole Content-Type of its first part, without the blanks around it', () => {
    const parts = WANTED.map((each) => part(each, 500, 'Content-Type: \ttext/x; a=\xc3\xa0 \r\n'));
    expect(read(parts.join('') + END).heads[0]?.headers).toContainEqual(['Content-Type', 'text/x; a=\xc3\xa0']);
  });

  it.each([1, 2, 3, 7, 50, 64, 1000])('has the bytes of the parts, read in pieces of %i', (size) => {
    for (const body of [RIGHT, RIGHT.slice(2), `a preamble${RIGHT}`, `${RIGHT}an epilogue`]) {
      const { heads, data, error } = read(body, size);
      expect(error).toBeUndefined();
      expect(data).toBe(WANTED.map(text).join(''));
      expect(heads).toEqual([
        {
          type: 'head',
          status: 206,
          headers: [
            ['ETag', '"1"'],
            ['Content-Type', 'text/x'],
          ],
          length: 500,
          from: 0,
          last: 499,
          etag: '"1"',
          parts: WANTED,
        },
      ]);
    }
  });

  it('may have parts that contain several of those that were asked for', () => {
    const { data, error } = read(`${part({ first: 0, last: 250 })}${part({ first: 450, last: 499 })}${END}`, 9);
    expect(error).toBeUndefined();
    expect(data).toBe(WANTED.map(text).join(''));
  });

  it('that breaks off has too few bytes', () => {
    const { data, error } = read(RIGHT.slice(0, 150));
    expect(error).toBeUndefined();
    expect(data.length).toBeLessThan(50);
  });

  it.each([
    ['a part that begins too late', part({ first: 1, last: 4 })],
    ['a part that ends too early', part({ first: 0, last: 3 })],
    ['another order', `${part(WANTED[1] as Part)}${part(WANTED[0] as Part)}`],
    ['a part twice', `${part(WANTED[0] as Part)}${part(WANTED[0] as Part)}`],
    ['another length in between', `${part(WANTED[0] as Part)}${part(WANTED[1] as Part, 501)}`],
    ['a part beyond the length', part(WANTED[0] as Part, 3)],
    ['no Content-Range', '\r\n--sep\r\nContent-Type: text/x\r\n\r\nabcde'],
    ['an endless head', `\r\n--sep\r\nX: ${'x'.repeat(10_000)}`],
    ['no part at all', END],
    ['nothing', ''],
  ])('is refused with %s', (_, body) => {
    expect(read(`${body}${END}`, 100).error).toMatchObject({ code: 'NO_RANGE', sourceStatus: 206 });
  });

  it('has the same limit for the head of a part in whatever pieces it comes', () => {
    const long = part({ first: 0, last: 4 }, 500, `X: ${'x'.repeat(8 * 1024)}\r\n`);
    for (const size of [long.length, 8000, 1]) expect(read(long, size).error).toMatchObject({ code: 'NO_RANGE' });
  });
});
