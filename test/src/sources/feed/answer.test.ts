import { describe, expect, it } from '@jest/globals';
import type { Header } from '../../../../pipelines/model/index.ts';
import { readAnswer } from '../../../../src/sources/feed/answer.ts';
import { anAsk } from '../../../support/collect.ts';

const url = new URL('https://user:secret@feed.test/a/bear.rpm?token=secret#x');
const NOW = Date.parse('Thu, 01 Jan 2026 00:00:00 GMT');
const read = (status: number, headers: readonly Header[] = [], from = 0, method: 'GET' | 'HEAD' = 'GET') =>
  readAnswer(status, headers, anAsk({ from, method }), url, () => NOW);

describe('an answer of a feed', () => {
  it('keeps header fields in order, separate and as spelled', () => {
    const headers: readonly Header[] = [
      ['X-b', '1'],
      ['x-A', 'é'],
      ['X-B', '2'],
      ['CONTENT-length', '12'],
    ];
    expect(read(200, headers)).toEqual({ type: 'head', status: 200, headers, length: 12, from: 0 });
  });

  it.each([undefined, '', '-1', '1e3', '0x10', '12, 12', '99999999999999999999'])(
    'has no length if Content-Length is %p',
    (value) => {
      const headers: readonly Header[] = value === undefined ? [] : [['Content-Length', value]];
      expect(read(200, headers)).toMatchObject({ type: 'head', length: undefined });
    },
  );

  it.each([
    ['"abc"', '"abc"'],
    ['""', '""'],
    ['W/"abc"', undefined],
    ['abc', undefined],
    ['"a", "b"', undefined],
  ])('has the entity tag %s read as %p', (value, etag) => {
    expect(read(200, [['ETag', value]])).toMatchObject({ etag });
  });

  it.each([
    [204, 'SOURCE_STATUS'],
    [201, 'SOURCE_STATUS'],
    [226, 'SOURCE_STATUS'],
    [206, 'SOURCE_STATUS'],
    [300, 'SOURCE_STATUS'],
    [304, 'SOURCE_STATUS'],
    [305, 'SOURCE_STATUS'],
    [400, 'SOURCE_STATUS'],
    [401, 'SOURCE_REFUSED'],
    [403, 'SOURCE_REFUSED'],
    [404, 'SOURCE_MISSING'],
    [407, 'SOURCE_REFUSED'],
    [408, 'SOURCE_FAILED'],
    [410, 'SOURCE_MISSING'],
    [413, 'SOURCE_STATUS'],
    [416, 'SOURCE_STATUS'],
    [421, 'SOURCE_STATUS'],
    [426, 'SOURCE_STATUS'],
    [399, 'SOURCE_STATUS'],
    [499, 'SOURCE_STATUS'],
    [429, 'SOURCE_BUSY'],
    [500, 'SOURCE_FAILED'],
    [501, 'SOURCE_STATUS'],
    [502, 'SOURCE_FAILED'],
    [503, 'SOURCE_BUSY'],
    [504, 'SOURCE_FAILED'],
    [505, 'SOURCE_STATUS'],
    [511, 'SOURCE_STATUS'],
    [520, 'SOURCE_FAILED'],
    [600, 'SOURCE_FAILED'],
    [999, 'SOURCE_FAILED'],
  ])('%i is %s', (status, code) => {
    expect(read(status)).toMatchObject({
      type: 'refused',
      error: { code, source: 'feed', sourceStatus: status, retryAfter: undefined },
    });
  });

  it.each([203, 209, 299])('%i is content that only a checksum can judge', (status) => {
    expect(read(status, [['Content-Length', '5']])).toMatchObject({ type: 'head', status, length: 5 });
  });

  it.each<[string, number, readonly Header[], string]>([
    ['NTLM', 407, [['Proxy-Authenticate', 'NTLM']], 'NTLM, but only Basic'],
    [
      'two fields',
      407,
      [
        ['Proxy-Authenticate', 'Negotiate'],
        ['PROXY-AUTHENTICATE', 'NTLM'],
      ],
      'Negotiate or NTLM, but',
    ],
    [
      'a list with parameters',
      407,
      [['Proxy-Authenticate', 'Digest realm="a, NTLM", nonce = "x", Kerberos abc==']],
      'Digest or Kerberos, but',
    ],
    ['a list with empty elements', 407, [['Proxy-Authenticate', ', Negotiate ,, NTLM,']], 'Negotiate or NTLM, but'],
    ['Bearer of a source', 401, [['WWW-Authenticate', 'Bearer realm="x"']], 'Bearer, but only Basic'],
    ['Basic', 401, [['WWW-Authenticate', 'Negotiate, basic realm="x"']], 'the user name and password of the source'],
    ['Basic of a proxy', 407, [['Proxy-Authenticate', 'Basic realm="x"']], 'the user name and password of the proxy'],
  ])('names the authentication that is wanted: %s', (_, status, headers, text) => {
    const answer = read(status, headers);
    expect(answer).toMatchObject({
      error: { code: 'SOURCE_REFUSED', message: expect.stringContaining(`wants ${text}`) },
    });
  });

  it('is reported with URL and status, and without secrets', () => {
    const answer = read(500);
    expect(answer).toMatchObject({ error: { message: 'https://feed.test/a/bear.rpm?… answered 500' } });
  });

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
    ['Thu Jan  1 00:00:30 2026', 30_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
    ['-5', undefined],
    ['soon GMT', undefined],
  ])('has Retry-After: %s read as %p ms', (value, retryAfter) => {
    expect(read(503, [['Retry-After', value]])).toMatchObject({ error: { code: 'SOURCE_BUSY', retryAfter } });
  });

  it.each([
    ['bytes 5-9/10', 5],
    ['Bytes 3-9/10', 3],
    ['bytes  0-9/10', 0],
  ])('is accepted as the rest of the file: %s', (range, from) => {
    expect(read(206, [['Content-Range', range]], 5)).toMatchObject({ type: 'head', from, length: 10 });
  });

  it.each([
    undefined,
    'bytes 5-8/10',
    'bytes 5-9/*',
    'bytes 9-5/10',
    'bytes 5-10/10',
    'bytes */10',
    'bytes=5-9/10',
    'items 5-9/10',
    'bytes 5-9/10, bytes 1-2/10',
    'bytes 5-99999999999999999998/99999999999999999999',
  ])('cannot continue with Content-Range %p', (range) => {
    const answer = read(
      206,
      range === undefined ? [['Content-Type', 'multipart/byteranges']] : [['Content-Range', range]],
      5,
    );
    expect(answer).toMatchObject({ type: 'refused', error: { code: 'NO_RANGE', sourceStatus: 206 } });
  });

  it('of 416 proves that nothing is missing, or that the bytes do not exist', () => {
    const answer = (from: number, range?: string) =>
      read(416, range === undefined ? [] : [['Content-Range', range]], from);
    expect(answer(10, 'bytes */10')).toMatchObject({ type: 'nothing-left', head: { from: 10, length: 10 } });
    expect(answer(11, 'bytes */10')).toMatchObject({ error: { code: 'UNSATISFIABLE', length: 10 } });
    // In empty content, every offset is beyond the end.
    for (const from of [-5, 7])
      expect(answer(from, 'bytes */0')).toMatchObject({ type: 'nothing-left', head: { from: 0, length: 0 } });
    // It has the bytes, but does not send them.
    for (const range of ['bytes */99', 'bytes 0-1/10', undefined])
      expect(answer(11, range)).toMatchObject({ error: { code: 'NO_RANGE' } });
  });

  it.each<readonly [from: number, last: number | undefined, range: string, expected: object]>([
    [2, 4, 'bytes 2-4/10', { type: 'head', from: 2, last: 4, length: 10 }],
    [2, 99, 'bytes 2-9/10', { type: 'head', from: 2, length: 10 }],
    [-3, undefined, 'bytes 7-9/10', { type: 'head', from: 7, length: 10 }],
    [-99, undefined, 'bytes 0-9/10', { type: 'head', from: 0, length: 10 }],
    [2, 4, 'bytes 2-3/10', { error: { code: 'NO_RANGE' } }],
    [2, 4, 'bytes 2-9/10', { error: { code: 'NO_RANGE' } }],
    [0, 4, 'bytes 0-4/10', { type: 'head', from: 0, last: 4, length: 10 }],
  ])('is accepted for the bytes from %i to %s: %s', (from, last, range, expected) => {
    const answer = readAnswer(206, [['Content-Range', range]], anAsk({ from, last }), url);
    expect(answer).toMatchObject(expected);
  });

  it('cannot continue with a length that contradicts the range', () => {
    const range: Header = ['Content-Range', 'bytes 5-9/10'];
    expect(read(206, [range, ['Content-Length', '5']], 5)).toMatchObject({ type: 'head', from: 5 });
    expect(read(206, [range, ['Content-Length', '10']], 5)).toMatchObject({ error: { code: 'NO_RANGE' } });
  });

  it('is the whole if it is no 206, whatever its Content-Range', () => {
    expect(read(200, [['Content-Range', 'bytes 5-9/10']], 5)).toMatchObject({
      type: 'head',
      from: 0,
      length: undefined,
    });
  });

  it('may be the parts that were asked for', () => {
    const parts = [
      { first: 0, last: 1 },
      { first: 5, last: 6 },
    ];
    const ask = anAsk({ from: 0, last: 6, parts });
    const types = ['multipart/byteranges; boundary=a-b', 'Multipart/Byteranges; x=y; Boundary="a-b"'];
    for (const type of [...types, 'multipart/byteranges; boundary="\\a\\-b"'])
      expect(readAnswer(206, [['Content-Type', type]], ask, url)).toEqual({ type: 'parts', boundary: 'a-b' });
    expect(readAnswer(206, [['Content-Type', 'multipart/byteranges']], ask, url)).toMatchObject({ type: 'refused' });
    const one = anAsk({ from: 0, last: 6 });
    expect(readAnswer(206, [['Content-Type', 'multipart/byteranges; boundary=a']], one, url)).toMatchObject({
      type: 'refused',
    });
  });

  it('may be a 304 if that was asked for', () => {
    const ask = anAsk({ unless: { modifiedSince: 0 } });
    expect(readAnswer(304, [['Content-Length', '9']], ask, url)).toMatchObject({
      ...{ type: 'head', status: 304, length: undefined },
    });
  });

  it('is refused if it is a part that was not requested', () => {
    expect(read(206, [['Content-Range', 'bytes 0-9/10']], 0)).toMatchObject({ error: { code: 'SOURCE_STATUS' } });
    expect(read(206, [['Content-Range', 'bytes 5-9/10']], 5, 'HEAD')).toMatchObject({
      error: { code: 'SOURCE_STATUS' },
    });
  });

  it.each([301, 302, 303, 307, 308])('%i is a redirect', (status) => {
    expect(read(status, [['LOCATION', '/b']])).toEqual({ type: 'redirect', status, location: '/b' });
  });
});
