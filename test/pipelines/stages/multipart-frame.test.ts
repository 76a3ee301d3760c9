import { describe, expect, it } from '@jest/globals';
import { field } from '../../../pipelines/index.ts';
import { frameOf } from '../../../pipelines/stages/multipart-frame.ts';
import { aCandidate, entryOf, headOf, textOf } from '../../support/pipeline.ts';

const head = headOf(aCandidate('feed', entryOf('abcdef')), {
  length: 6,
  headers: [
    ['ETag', '"1"'],
    ['content-type', 'application/x-rpm'],
    ['Content-Range', 'bytes 0-0/6'],
  ],
});
const parts = [
  { first: 0, last: 1 },
  { first: 4, last: 4 },
];
const boundaryOf = (id: string): string =>
  (field(frameOf(head, 6, parts, id).head.headers, 'content-type') ?? '').replace(
    'multipart/byteranges; boundary=',
    '',
  );

describe('the frame of parts', () => {
  const { head: framed, title, closing } = frameOf(head, 6, parts, 'id-1');

  it('has the fields of the content, except those of each part', () =>
    expect(framed).toMatchObject({
      status: 206,
      whole: false,
      headers: [
        ['ETag', '"1"'],
        ['Content-Type', 'multipart/byteranges; boundary=pulp-streamer-id-1'],
      ],
    }));

  it('titles a part with its type and its place, and has a closing', () => {
    expect(textOf(title(parts[1] ?? { first: 0, last: 0 }))).toBe(
      '\r\n--pulp-streamer-id-1\r\nContent-Type: application/x-rpm\r\nContent-Range: bytes 4-4/6\r\n\r\n',
    );
    expect(textOf(closing)).toBe('\r\n--pulp-streamer-id-1--\r\n');
  });

  it('titles a part of unknown type with its place alone', () => {
    const { title } = frameOf({ ...head, headers: [] }, 6, parts, 'id');
    expect(textOf(title({ first: 0, last: 1 }))).toBe('\r\n--pulp-streamer-id\r\nContent-Range: bytes 0-1/6\r\n\r\n');
  });

  it('states the length of the body', () => {
    const bodies = parts.map((part) => title(part).length + part.last - part.first + 1);
    expect(framed.length).toBe(bodies.reduce((sum, length) => sum + length, closing.length));
  });

  it('has a boundary of at most 70 letters, digits and hyphens (RFC 2046 section 5.1.1)', () => {
    expect(boundaryOf('a b/"ü"-1')).toBe('pulp-streamer-ab-1');
    expect(boundaryOf('x'.repeat(100))).toBe(`pulp-streamer-${'x'.repeat(56)}`);
  });
});
