import type { Chunk } from '../../pipelines/index.ts';
import { lend, loanOf } from '../../src/lib/lent-buffers.ts';
import { chunk } from './pipeline.ts';

/** Lends chunks, and counts those that somebody has retained and not released. */
export const aLender = () => {
  let held = 0;
  const loan = { retain: () => void held++, release: () => void held-- };
  return { lend: (text: string): Chunk => ({ ...chunk(text), loan }), held: () => held };
};

/** Holds as many buffers as many slow clients do, so that only the smallest are left for others. Gives them back. */
export const holdMany = (): (() => void) => {
  const held = Array.from({ length: 1_100 }, () => loanOf(lend(0)));
  return () => {
    for (const loan of held) loan?.release();
  };
};
