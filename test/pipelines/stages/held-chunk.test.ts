import { describe, expect, it } from '@jest/globals';
import { Subscriber } from 'rxjs';
import type { Chunk } from '../../../pipelines/index.ts';
import { HeldChunk } from '../../../pipelines/stages/held-chunk.ts';
import { aLender } from '../../support/lender.ts';
import { textOf } from '../../support/pipeline.ts';

/** A consumer of chunks. */
const consumer = (next: (chunk: Chunk) => void): Subscriber<Chunk> =>
  new Subscriber<Chunk>({ next, error: () => {}, complete: () => {} });

const scene = () => {
  const { lend, held } = aLender();
  /** The chunks that came, each with the number of loans at that time. */
  const came: string[] = [];
  const out = consumer(({ bytes }) => void came.push(`${textOf(bytes)} ${held()}`));
  const chunk = new HeldChunk(out);
  chunk.hold(lend('a'));
  return { out, chunk, came, held, lend };
};

describe('a held chunk', () => {
  it('keeps its memory until it has passed, which it does once', () => {
    const { chunk, came, held, lend } = scene();
    expect([chunk.isThere(), held(), came]).toEqual([true, 1, []]);
    chunk.pass();
    chunk.pass();
    expect([chunk.isThere(), held(), came]).toEqual([false, 0, ['a 1']]);
    chunk.hold(lend('b'));
    chunk.pass();
    expect(came).toEqual(['a 1', 'b 1']);
  });

  it('gives its memory back once if nobody waits for it any more', () => {
    const { out, chunk, came, held } = scene();
    out.unsubscribe();
    expect([chunk.isThere(), held()]).toEqual([false, 0]);
    chunk.unsubscribe();
    chunk.pass();
    expect([held(), came]).toEqual([0, []]);
  });

  it('is gone before its consumer sees it', () => {
    const { lend } = aLender();
    const seen: boolean[] = [];
    const out = consumer(() => void seen.push(chunk.isThere()));
    const chunk: HeldChunk = new HeldChunk(out);
    chunk.hold(lend('a'));
    chunk.pass();
    expect(seen).toEqual([false]);
  });
});
