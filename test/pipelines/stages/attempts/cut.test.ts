import { describe, expect, it } from '@jest/globals';
import type { SourceHead } from '../../../../pipelines/index.ts';
import { cutTo } from '../../../../pipelines/stages/attempts/cut.ts';
import { chunk, sourceHead, textOf } from '../../../support/pipeline.ts';

/** What passes of chunks; `|` if the result completes before its source. */
const cut = (chunks: string, head: Partial<SourceHead>, bounds: { first: number; last?: number }): string => {
  const seen: string[] = [];
  const out = {
    next: ({ bytes }: { bytes: Uint8Array }) => void seen.push(textOf(bytes)),
    complete: () => void seen.push('|'),
  };
  const take = cutTo(out, sourceHead(head), bounds);
  for (const text of chunks.split(' ')) take(chunk(text));
  return seen.join(' ');
};

describe('bytes that are cut', () => {
  it('are all from the first on', () => {
    expect(cut('ab cd ef', { length: 6 }, { first: 0 })).toBe('ab cd ef');
    expect(cut('ab cd ef', { length: 6 }, { first: 3 })).toBe('d ef');
    expect(cut('cd ef', { length: 6, from: 2 }, { first: 3 })).toBe('d ef');
  });

  it('complete with the last, if the source would continue', () => {
    expect(cut('ab cd', { length: 6 }, { first: 1, last: 3 })).toBe('b cd |');
    expect(cut('ab cdef', { length: 6 }, { first: 1, last: 3 })).toBe('b cd |');
    expect(cut('cd', { length: 6, from: 2, last: 4 }, { first: 2, last: 3 })).toBe('cd |');
    expect(cut('ab cd', {}, { first: 1, last: 3 })).toBe('b cd |');
  });

  it('wait for the end of the source if it ends with them', () => {
    expect(cut('ab cd', { length: 4 }, { first: 1, last: 3 })).toBe('b cd');
    expect(cut('cd', { length: 6, from: 2, last: 3 }, { first: 2, last: 3 })).toBe('cd');
    expect(cut('ab cd', {}, { first: 1 })).toBe('b cd');
  });
});
