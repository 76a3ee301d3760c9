import { describe, expect, it } from '@jest/globals';
import { createClient } from './client.ts';
import { type Kind, makeVersion, type Version } from './content.ts';
import { judge } from './judge.ts';
import { type Ending, plantedServers } from './planted.ts';
import type { RangeAsk } from './ranges.ts';
import type { Asked, Stated } from './requests.ts';
import { createTruth } from './truth.ts';
import type { Circumstances, Verdict } from './verdict.ts';

const KIND: Kind = {
  name: 'notes.txt',
  sized: false,
  chunked: false,
  ranges: true,
  tag: 'strong',
  dates: 'the same',
  type: 'text/plain',
  coding: 'gzip',
};
const [A, B] = [0, 1].map((place) => makeVersion(KIND, place, 1000, 40 + place)) as [Version, Version];
const SUMMED = makeVersion({ ...KIND, checksum: 'sha256' }, 2, 1000, 42);
const DATE = A.lastModified ?? '';

/** A at first; B replaced it ten seconds ago. */
const truth = () => {
  let now = 0;
  const made = createTruth(() => now);
  made.show('a', A);
  made.list([{ feed: 'a' }]);
  now = 90_000;
  made.show('a', B);
  made.list([{ feed: 'a' }]);
  return made;
};

const straight: Circumstances = {
  admissible: truth().admissible(100_000, 100_010),
  versions: [A, B],
  passedOff: [],
  cached: false,
};

const plain: Asked = { method: 'GET', http: '1.1', conditions: {} };
const range = (first: number, last: number): RangeAsk => ({ text: `bytes=${first}-${last}`, specs: [[first, last]] });
const tag = (version: Version): Stated => ({ text: version.etag ?? '', tags: [version.etag ?? ''], version });
const date = (version?: Version): Stated => ({ text: DATE, tags: [], date: Date.parse(DATE), version });

type Head = Readonly<Record<string, string | number | undefined>>;

const fieldsOf = ({ etag, lastModified, type, coding, sha256 }: Version): Head => ({
  ETag: etag,
  'Last-Modified': lastModified,
  'Content-Type': type,
  'Content-Encoding': coding,
  'Repr-Digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
});

const answer = (status: number, head: Head, body: Buffer | string = ''): string => {
  const lines = Object.entries({ 'Content-Length': body.length, ...head }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\r\n`],
  );
  return `HTTP/1.1 ${status} Planted\r\n${lines.join('')}\r\n${body.toString('latin1')}`;
};

const whole = (version: Version, more: Head = {}) => answer(200, { ...fieldsOf(version), ...more }, version.bytes);
const part = (version: Version, first: number, last: number, more: Head = {}) =>
  answer(
    206,
    { ...fieldsOf(version), 'Content-Range': `bytes ${first}-${last}/${version.bytes.length}`, ...more },
    version.bytes.subarray(first, last + 1),
  );
const chunked = (version: Version, body: Buffer) =>
  answer(
    200,
    { ...fieldsOf(version), 'Content-Length': undefined, 'Transfer-Encoding': 'chunked', 'Cache-Control': 'no-store' },
    `${body.length.toString(16)}\r\n${body.toString('latin1')}\r\n0\r\n\r\n`,
  );
const several = (version: Version, parts: readonly (readonly [number, number, Buffer?])[], opening = '\r\n--x') => {
  const { length } = version.bytes;
  const texts = parts.map(([first, last, bytes = version.bytes.subarray(first, last + 1)], index) => {
    const border = index === 0 ? opening : '\r\n--x';
    return `${border}\r\nContent-Range: bytes ${first}-${last}/${length}\r\n\r\n${bytes.toString('latin1')}`;
  });
  const head = { ...fieldsOf(version), 'Content-Type': 'multipart/byteranges; boundary=x' };
  return answer(206, head, `${texts.join('')}\r\n--x--\r\n`);
};
const two: RangeAsk = {
  text: 'bytes=10-19,30-39',
  specs: [
    [10, 19],
    [30, 39],
  ],
};
const shifted = Buffer.concat([B.bytes.subarray(100), B.bytes.subarray(0, 100)]);

interface Planted {
  readonly asked?: Partial<Asked>;
  readonly bytes: string;
  readonly ending?: Ending;
  readonly circumstances?: Partial<Circumstances>;
}

describe('a planted answer', () => {
  const serve = plantedServers();

  const judged = async ({ asked, bytes, ending, circumstances }: Planted): Promise<Verdict> => {
    const request: Asked = { ...plain, ...asked };
    const client = createClient(await serve(bytes, ending));
    const got = await client.ask({ method: request.method, http: request.http, target: '/', fields: [] }, 'new');
    return judge(request, got, { ...straight, ...circumstances });
  };

  const kept = { cached: true, admissible: truth().kept(100_000, 100_010, 60_000) };
  const outdated = { admissible: [{ version: A, outdated: true, kept: false }] };
  const lagging = { passedOff: [{ as: B, bytes: A.bytes }] };

  it.each<[string, Planted]>([
    ['the newest', { bytes: whole(B) }],
    ['the newest without the date of the previous one', { bytes: whole(B, { 'Last-Modified': undefined }) }],
    ['in chunks', { bytes: chunked(B, B.bytes) }],
    ['the previous one, which a cache still has', { bytes: whole(A), circumstances: kept }],
    [
      'an older row, which no cache keeps',
      { bytes: whole(A, { 'Cache-Control': 'no-store' }), circumstances: outdated },
    ],
    ['a part', { asked: { range: range(50, 59) }, bytes: part(B, 50, 59) }],
    [
      'a part whose condition holds',
      {
        asked: { range: range(50, 59), conditions: { 'If-Range': tag(B) } },
        bytes: part(B, 50, 59),
      },
    ],
    [
      'a part of the content that the feed has instead',
      {
        asked: { range: range(50, 59) },
        bytes: answer(
          206,
          { ...fieldsOf(B), 'Content-Range': `bytes 50-59/${A.bytes.length}` },
          A.bytes.subarray(50, 60),
        ),
        circumstances: lagging,
      },
    ],
    [
      'several parts',
      {
        asked: { range: two },
        bytes: several(B, [
          [10, 19],
          [30, 39],
        ]),
      },
    ],
    [
      'several parts without a CRLF before them',
      {
        asked: { range: two },
        bytes: several(
          B,
          [
            [10, 19],
            [30, 39],
          ],
          '--x',
        ),
      },
    ],
    ['several parts joined', { asked: { range: two }, bytes: several(B, [[10, 39]]) }],
    ['the whole to a range', { asked: { range: range(50, 59) }, bytes: whole(B) }],
    ['304 to the tag', { asked: { conditions: { 'If-None-Match': tag(B) } }, bytes: answer(304, { ETag: B.etag }) }],
    ['412 to another tag', { asked: { conditions: { 'If-Match': tag(A) } }, bytes: answer(412, {}) }],
    ['416 beyond the end', { asked: { range: range(5000, 5009) }, bytes: answer(416, {}) }],
    ['a head', { asked: { method: 'HEAD' }, bytes: answer(200, { ...fieldsOf(B), 'Content-Length': B.bytes.length }) }],
  ])('is right: %s', async (_, planted) => {
    expect(await judged(planted)).toMatchObject({ kind: 'right' });
  });

  it.each<[string, Planted]>([
    ['an error', { bytes: answer(502, { 'Cache-Control': 'no-store' }) }],
    ['416 within the content', { asked: { range: range(50, 59) }, bytes: answer(416, {}) }],
    ['412 to its tag', { asked: { conditions: { 'If-Match': tag(B) } }, bytes: answer(412, {}) }],
    [
      'broken off, after the feed continued with other content at the same byte',
      {
        bytes: answer(
          200,
          { ...fieldsOf(SUMMED), 'Content-Length': SUMMED.bytes.length },
          Buffer.concat([SUMMED.bytes.subarray(0, 500), B.bytes.subarray(500, 800)]),
        ),
        ending: 'ends',
        circumstances: { versions: [SUMMED, B], admissible: [{ version: SUMMED, outdated: false, kept: false }] },
      },
    ],
    ['broken off', { bytes: whole(B).slice(0, -20), ending: 'ends' }],
    ['reset', { bytes: whole(B).slice(0, -20), ending: 'resets' }],
    ['reset before its head', { bytes: '', ending: 'resets' }],
  ])('has failed: %s', async (_, planted) => {
    expect(await judged(planted)).toMatchObject({ kind: 'failed' });
  });

  it.each<[string, string, Planted]>([
    ['wrong body', 'bytes that begin elsewhere', { bytes: answer(200, fieldsOf(B), shifted) }],
    [
      'wrong body',
      'half of each',
      {
        bytes: answer(200, fieldsOf(B), Buffer.concat([A.bytes.subarray(0, 500), B.bytes.subarray(500)])),
      },
    ],
    [
      'wrong body',
      'a hole in content with a checksum, then broken off',
      {
        bytes: answer(
          200,
          { ...fieldsOf(SUMMED), 'Content-Length': SUMMED.bytes.length },
          Buffer.concat([SUMMED.bytes.subarray(0, 300), SUMMED.bytes.subarray(500)]),
        ),
        ending: 'ends',
        circumstances: { versions: [SUMMED, B], admissible: [{ version: SUMMED, outdated: false, kept: false }] },
      },
    ],
    [
      'wrong body',
      'a hole, then broken off',
      {
        bytes: answer(
          200,
          { ...fieldsOf(B), 'Content-Length': B.bytes.length },
          Buffer.concat([B.bytes.subarray(0, 300), B.bytes.subarray(500)]),
        ),
        ending: 'ends',
      },
    ],
    [
      'wrong body',
      'a part from elsewhere',
      {
        asked: { range: range(50, 59) },
        bytes: answer(
          206,
          { ...fieldsOf(B), 'Content-Range': `bytes 50-59/${B.bytes.length}` },
          B.bytes.subarray(105, 115),
        ),
      },
    ],
    [
      'wrong body',
      'a part of another whole',
      {
        asked: { range: range(50, 59) },
        bytes: part(B, 50, 59, { 'Content-Range': 'bytes 50-59/77' }),
      },
    ],
    [
      'wrong body',
      'several parts, one of them from elsewhere',
      {
        asked: { range: two },
        bytes: several(B, [
          [10, 19],
          [30, 39, B.bytes.subarray(130, 140)],
        ]),
      },
    ],
    [
      'wrong body',
      'a whole that the feed has instead',
      { bytes: answer(200, fieldsOf(B), A.bytes), circumstances: { ...lagging, versions: [B] } },
    ],
    ['expired body', 'the previous one', { bytes: whole(A) }],
    ['expired body', 'a part of the previous one', { asked: { range: range(50, 59) }, bytes: part(A, 50, 59) }],
    ['expired body', 'an older row, for caches to keep', { bytes: whole(A), circumstances: outdated }],
    [
      'expired body',
      'the head of the previous one',
      {
        asked: { method: 'HEAD' },
        bytes: answer(200, { ...fieldsOf(A), 'Content-Length': A.bytes.length }),
      },
    ],
    ['wrong tag', 'on the newest', { bytes: whole(B, { ETag: A.etag }) }],
    [
      'wrong tag',
      'on the previous one, which a cache still has',
      { bytes: whole(A, { ETag: B.etag }), circumstances: kept },
    ],
    ['wrong tag', 'on the previous one, which has expired', { bytes: whole(A, { ETag: B.etag }) }],
    ['wrong tag', 'none at all', { bytes: whole(B, { ETag: undefined }) }],
    ['wrong fields', 'another date', { bytes: whole(B, { 'Last-Modified': 'Fri, 03 May 2024 06:07:08 GMT' }) }],
    ['wrong fields', 'no coding', { bytes: whole(B, { 'Content-Encoding': undefined }) }],
    ['wrong fields', 'another type', { bytes: whole(B, { 'Content-Type': 'text/html' }) }],
    ['wrong fields', 'another digest', { bytes: whole(B, { 'Repr-Digest': fieldsOf(A)['Repr-Digest'] }) }],
    [
      'wrong 206',
      'another version than the one in If-Range',
      {
        asked: { range: range(50, 59), conditions: { 'If-Range': tag(A) } },
        bytes: part(B, 50, 59),
      },
    ],
    [
      'wrong 206',
      'If-Range by the date that both have',
      {
        asked: { range: range(50, 59), conditions: { 'If-Range': date(A) } },
        bytes: part(B, 50, 59),
      },
    ],
    ['wrong 206', 'without a range', { bytes: part(B, 50, 59) }],
    ['wrong 206', 'another range', { asked: { range: range(50, 59) }, bytes: part(B, 50, 69) }],
    ['wrong 206', 'a range too few', { asked: { range: two }, bytes: several(B, [[10, 19]]) }],
    [
      'wrong 206',
      'against If-Match, by the streamer itself',
      {
        asked: { range: range(50, 59), conditions: { 'If-Match': tag(A) } },
        bytes: part(B, 50, 59),
      },
    ],
    ['wrong 304', 'without a condition', { bytes: answer(304, { ETag: B.etag }) }],
    [
      'wrong 304',
      'to the tag of the previous one',
      {
        asked: { conditions: { 'If-None-Match': tag(A) } },
        bytes: answer(304, { ETag: B.etag }),
      },
    ],
    [
      'wrong 304',
      'to the date of the previous one',
      {
        asked: { conditions: { 'If-Modified-Since': date(A) } },
        bytes: answer(304, { ETag: B.etag }),
      },
    ],
    [
      'wrong 304',
      'with another tag',
      {
        asked: { conditions: { 'If-None-Match': tag(B) } },
        bytes: answer(304, { ETag: A.etag }),
      },
    ],
    [
      'wrong HEAD',
      'of another length',
      { asked: { method: 'HEAD' }, bytes: answer(200, { ...fieldsOf(B), 'Content-Length': 7 }) },
    ],
    [
      'truncated body',
      'of a connection, to an HTTP/1.0 client',
      {
        asked: { http: '1.0' },
        bytes: whole(B, { 'Content-Length': undefined, 'Cache-Control': 'no-store' }).slice(0, -20),
        ending: 'ends',
      },
    ],
    ['truncated body', 'in chunks', { bytes: chunked(B, B.bytes.subarray(0, 500)) }],
    ['truncated body', 'under a shorter length', { bytes: answer(200, fieldsOf(B), B.bytes.subarray(0, 500)) }],
    [
      'cacheable without a length',
      'as the streamer allows',
      {
        bytes: chunked(B, B.bytes).replace('no-store', 'max-age=9'),
      },
    ],
    ['malformed', 'two lengths', { bytes: whole(B, { 'content-length': 5 }) }],
    ['malformed', 'bytes after its end', { bytes: `${whole(B)}HTTP/1.1 200 OK` }],
    ['malformed', 'a chunk without a size', { bytes: chunked(B, B.bytes).replace('\r\n\r\n', '\r\n\r\nx') }],
    ['malformed', 'chunks for an HTTP/1.0 client', { asked: { http: '1.0' }, bytes: chunked(B, B.bytes) }],
    ['malformed', 'a folded field', { bytes: whole(B, { 'X-Folded': 'a\r\n b' }) }],
    ['malformed', 'no status', { bytes: whole(B).replace('200', '2x0'), ending: 'ends' }],
    [
      'malformed',
      'parts without their end',
      { asked: { range: two }, bytes: several(B, [[10, 19]]).replace('--x--\r\n', '--y--\r\n') },
    ],
    [
      'malformed',
      'a part of another length',
      { asked: { range: range(50, 59) }, bytes: part(B, 50, 59, { 'Content-Range': 'bytes 50-69/1000' }) },
    ],
  ])('is found as %s: %s', async (category, _, planted) => {
    expect(await judged(planted)).toMatchObject({ kind: 'wrong', category });
  });
});
