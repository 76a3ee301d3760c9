import { describe, expect, it } from '@jest/globals';
import { Binary, ObjectId } from 'mongodb';
import { checkBounds } from '../../../../src/catalog/mongodb/documents.ts';

const MIB = 1024 ** 2;
const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });

describe('a document of the database', () => {
  it('may be as Pulp makes it', () => {
    const data = { size: 5, pem: 'x'.repeat(MIB), list: Array(1024).fill(null), deep: nested(60) };
    expect(() => checkBounds({ _id: new ObjectId(), data, binary: new Binary(Buffer.alloc(MIB)) })).not.toThrow();
  });

  it.each([
    ['is nested too deep', { data: nested(64) }, /^data(\.a){63}: more than 64 nested values$/],
    ['is nested deeper than a stack', { data: JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)) }, /more than 64/],
    ['has too long a text', { data: { url: 'x'.repeat(MIB + 1) } }, /^data\.url: more than 1048576 characters$/],
    [
      'has too many fields',
      { data: Object.fromEntries(Array.from({ length: 1025 }, (_, key) => [key, 1])) },
      /^data: more than 1024 fields$/,
    ],
    ['has too long a list', { data: { list: Array(1025).fill(1) } }, /^data\.list: more than 1024 fields$/],
    ['has too many bytes', { binary: new Binary(Buffer.alloc(MIB + 1)) }, /^binary\.buffer: more than 1048576 bytes$/],
  ])('is refused if it %s', (_, document, message) => {
    expect(() => checkBounds(document)).toThrow(message);
  });
});
