import { describe, expect, it } from '@jest/globals';
import type { Header } from '../../../../../pipelines/model/index.ts';
import { Http1Error } from '../../../../../src/sources/feed/http1/errors.ts';
import { ResponseReader } from '../../../../../src/sources/feed/http1/response.ts';

const OK = 'HTTP/1.1 200 OK\r\n';

/** All that a reader makes of a response: bytes after it are counted. */
const read = (method: string, pieces: readonly string[]) => {
  const seen = { heads: [] as [number, readonly Header[]][], body: '', after: 0, error: '', over: false };
  let message = '';
  const reader = new ResponseReader(method, {
    head: (status, headers) => seen.heads.push([status, headers]),
    data: (bytes) => {
      expect(bytes.length).toBeGreaterThan(0);
      seen.body += bytes.toString('latin1');
    },
  });
  try {
    for (const piece of pieces)
      if (reader.hasEnded) seen.after += piece.length;
      else seen.after += piece.length - reader.read(Buffer.from(piece, 'latin1'));
    seen.over = reader.hasEnded;
    if (!reader.hasEnded) seen.error = reader.close(true)?.code ?? '';
  } catch (error) {
    seen.error = error instanceof Http1Error ? error.code : String(error);
    message = String(error);
  }
  return { seen, message };
};

const RESPONSES: Readonly<Record<string, string>> = {
  'a length': `${OK}Content-Length: 12\r\nX: \t a b \r\n\r\nabc\r\ndef\r\n\r\n`,
  'a length and bytes after': `${OK}Content-Length: 3\r\n\r\nabc${OK}\r\n`,
  'too few bytes': `${OK}Content-Length: 9\r\n\r\nabc`,
  'the announced end too early': `${OK}Connection: close\r\nContent-Length: 9\r\n\r\nabc`,
  chunks: `${OK}Transfer-Encoding: chunked\r\n\r\n003;a="b"\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nX: 1\r\nY: 2\r\n\r\nafter`,
  'chunks without an end': `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
  'interim responses': `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nLink: </x>\r\n\r\n${OK}Content-Length: 1\r\n\r\nab`,
  'the end of the connection': `${OK}X: 1\r\n\r\nabcdef`,
  'no content': 'HTTP/1.1 204 No Content\r\n\r\nab',
  'half a head': `${OK}Content-Len`,
  'a malformed field': `${OK}X: 1\r\n Y: 2\r\n\r\n`,
  'a malformed status line': 'HTTP/1.1 2x0 OK\r\n\r\n',
  'a malformed chunk': `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n`,
  'a malformed trailer': `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n X: 1\r\n\r\n`,
  'another protocol': '220 ftp.example.com ESMTP\r\n',
};

describe('a reader of responses', () => {
  describe.each(['GET', 'HEAD'])('to %s', (method) => {
    it.each(Object.entries(RESPONSES))('makes the same of every way to split it in two: %s', (_, bytes) => {
      const whole = read(method, [bytes]).seen;
      for (let at = 0; at <= bytes.length; at += 1)
        expect(
          read(
            method,
            [bytes.slice(0, at), bytes.slice(at)].filter((piece) => piece !== ''),
          ).seen,
        ).toEqual(whole);
    });

    it.each(Object.entries(RESPONSES))('makes the same of it byte by byte, and of small pieces: %s', (_, bytes) => {
      const whole = read(method, [bytes]).seen;
      for (const size of [1, 2, 3, 5, 7]) {
        const pieces = bytes.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
        expect(read(method, pieces).seen).toEqual(whole);
      }
    });
  });

  it('reads what it should of them', () => {
    const get = (name: string) => read('GET', [RESPONSES[name] ?? '']).seen;
    const messageFor = (name: string) => read('GET', [RESPONSES[name] ?? '']).message;
    expect(get('a length')).toEqual({
      heads: [
        [
          200,
          [
            ['Content-Length', '12'],
            ['X', 'a b'],
          ],
        ],
      ],
      body: 'abc\r\ndef\r\n\r\n',
      after: 0,
      error: '',
      over: true,
    });
    expect(get('a length and bytes after')).toMatchObject({ body: 'abc', after: 19, over: true });
    expect(get('chunks')).toMatchObject({ body: 'abc0123456789abcdef', after: 5, over: true });
    expect(get('interim responses')).toMatchObject({ heads: [[200, [['Content-Length', '1']]]], body: 'a', after: 1 });
    expect(get('the end of the connection')).toMatchObject({ body: 'abcdef', over: false, error: '' });
    expect(get('no content')).toMatchObject({ body: '', after: 2, over: true });
    expect(get('too few bytes').error).toBe('CONNECTION_LOST');
    expect(get('the announced end too early').error).toBe('SHORT_BODY');
    expect(get('chunks without an end').error).toBe('CONNECTION_LOST');
    expect(get('half a head').error).toBe('CONNECTION_LOST');
    expect(get('a malformed chunk')).toMatchObject({ body: 'abc', error: 'PROTOCOL_ERROR' });
    expect(messageFor('a malformed field')).toBe('Http1Error: the response’s head has a malformed line: “ Y: 2�”');
    expect(messageFor('another protocol')).toContain('malformed line: “220 ftp.example.com');
  });

  it('names one length of several equal ones', () => {
    const { heads } = read('GET', [`${OK}Content-Length: 1\r\nX: y\r\ncontent-length: 1, 1\r\n\r\na`]).seen;
    expect(heads).toEqual([
      [
        200,
        [
          ['Content-Length', '1'],
          ['X', 'y'],
        ],
      ],
    ]);
  });

  it('strips spaces and tabs from values, and no byte that only looks like a space', () => {
    // In UTF-8 the last byte of 'à' is a no-break space in Latin-1.
    const value = Buffer.from('voilà').toString('latin1');
    const { heads } = read('GET', [`${OK}X: \t ${value}\t \r\nContent-Length: 1\r\n\r\na`]).seen;
    expect(heads[0]?.[1]).toContainEqual(['X', value]);
    expect(read('GET', [`${OK}Content-Length: 1\xa0\r\n\r\na`]).seen.error).toBe('PROTOCOL_ERROR');
    expect(read('GET', [`${OK}Content-Length: 1, 1\xa0\r\n\r\na`]).seen.error).toBe('PROTOCOL_ERROR');
  });

  it('delivers the chunks that come together as one piece', () => {
    const pieces: string[] = [];
    const reader = new ResponseReader('GET', { head: () => {}, data: (bytes) => pieces.push(bytes.toString()) });
    reader.read(Buffer.from(`${OK}Transfer-Encoding: chunked\r\n\r\n${'2\r\nab\r\n'.repeat(100)}0\r\n\r\n`));
    expect(pieces).toEqual(['ab'.repeat(100)]);
  });

  it('does not take an end for that of the body if the peer did not say so', () => {
    const reader = new ResponseReader('GET', { head: () => {}, data: () => {} });
    reader.read(Buffer.from(`${OK}\r\nabc`));
    expect(reader.close(true)).toBeUndefined();
    expect(reader.close(false)?.code).toBe('CONNECTION_LOST');
  });
});
