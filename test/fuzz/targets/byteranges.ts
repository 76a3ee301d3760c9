import assert from 'node:assert/strict';
import { readByteranges } from '../../../src/sources/feed/byteranges.ts';
import type { Target } from '../engine/target.ts';
import { chunkingsOf } from '../invariants/chunkings.ts';

const WANTED = [
  { first: 2, last: 4 },
  { first: 10, last: 19 },
  { first: 30, last: 30 },
];
const MOST = 3 + 10 + 1;

interface Seen {
  from?: number;
  length?: number;
  body: string;
  error: string;
}

const readAll = (pieces: readonly Buffer[]): Seen => {
  const seen: Seen = { body: '', error: '' };
  const reader = readByteranges('b', { status: 206, headers: [] }, WANTED, new URL('http://feed.example/a'), {
    head: ({ from, length }) => Object.assign(seen, { from, length }),
    data: (bytes) => {
      assert.equal(seen.error, '', 'bytes after an error');
      seen.body += Buffer.from(bytes).toString('latin1');
    },
    error: ({ code }) => {
      assert.equal(seen.error, '', 'a second error');
      seen.error = code;
    },
  });
  for (const piece of pieces) reader.write(piece);
  reader.end();
  return seen;
};

export const target: Target = {
  about: 'a body of multipart/byteranges',
  tokens: [
    ...['--b', '--b--', '\r\n', '\r\n\r\n', 'Content-Range: bytes 2-4/40', 'bytes 10-19/40', 'bytes 30-30/40', '/40'],
    ...['bytes 0-39/40', 'Content-Type: text/plain', 'content-range:'],
  ],
  longest: 20_000,
  check: (input) => {
    const [whole, ...others] = chunkingsOf(input).map(readAll);
    for (const other of others) assert.deepEqual(other, whole, 'another result in other pieces');
    assert.ok((whole?.body.length ?? 0) <= MOST, 'more bytes than were asked for');
  },
};
