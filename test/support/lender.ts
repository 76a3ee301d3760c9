import type { Chunk } from '../../pipelines/index.ts';
import { chunk } from './pipeline.ts';

/** Lends chunks, and counts those that somebody has retained and not released. */
export const aLender = () => {
  let held = 0;
  const loan = { retain: () => void held++, release: () => void held-- };
  return { lend: (text: string): Chunk => ({ ...chunk(text), loan }), held: () => held };
};
