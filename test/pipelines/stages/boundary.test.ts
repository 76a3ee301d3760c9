import { describe, expect, it } from '@jest/globals';
import { matches, type Tail, tailAfter } from '../../../pipelines/stages/boundary.ts';
import { aCandidate, anEntry, bytesOf, entryOf, headOf, textOf } from '../../support/pipeline.ts';

const part = headOf(aCandidate('feed', entryOf('abc')), { whole: false });
const tailOf = (...all: readonly string[]): string =>
  textOf(all.reduce<Tail | undefined>((tail, text) => tailAfter(part, tail, bytesOf(text)), undefined) ?? bytesOf(''));

describe('the tail of a part', () => {
  it('has its last 4096 bytes, whatever the chunks', () => {
    const text = Array.from({ length: 2000 }, (_, line) => `${line}\n`).join('');
    const tail = text.slice(-4096);
    expect(tailOf(text)).toBe(tail);
    expect(tailOf(text.slice(0, -1), text.slice(-1))).toBe(tail);
    expect(tailOf(text.slice(0, 3000), text.slice(3000, 6000), text.slice(6000))).toBe(tail);
    expect(tailOf(text.slice(0, 10), text.slice(10))).toBe(tail);
    expect(tailOf('a', 'b', 'c')).toBe('abc');
  });

  it('does not change with the memory of the bytes', () => {
    const lent = Buffer.from('abc');
    const tail = tailAfter(part, undefined, lent);
    lent.fill(0);
    expect(tail && textOf(tail)).toBe('abc');
  });

  it('is not kept for the whole, nor without a checksum', () => {
    const bare = headOf(aCandidate('feed', anEntry()), { whole: false });
    for (const head of [{ ...part, whole: true }, bare])
      expect(tailAfter(head, undefined, bytesOf('a'))).toBeUndefined();
  });

  it('matches the same bytes at the same position', () => {
    const tail = bytesOf('abcd');
    expect(matches(tail, 1, bytesOf('bc'))).toBe(true);
    expect(matches(tail, 0, bytesOf('bc'))).toBe(false);
    expect(matches(tail, 4, bytesOf(''))).toBe(true);
  });
});
