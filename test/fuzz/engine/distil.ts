import type { Coverage } from './coverage.ts';
import { minimise } from './minimise.ts';
import { addTo, newIn, type Reached, reachedBy } from './reached.ts';
import type { Target } from './target.ts';

interface Options {
  readonly target: Target;
  readonly coverage: Coverage;
  announce(input: Buffer): void;
}

/** Inputs that are tried for one. */
const TRIES = 200;

/** Inputs that are larger are not worth a place in the repository. */
const LARGEST = 1024;

/**
 * Few and small inputs that reach the same code together: the smallest first, each only if it adds
 * something, and of each only what adds it. Committed inputs come first, as they are.
 */
export const distil = async (
  inputs: readonly Buffer[],
  committed: readonly Buffer[],
  { target, coverage, announce }: Options,
): Promise<readonly Buffer[]> => {
  const reach = async (input: Buffer): Promise<Reached> => {
    coverage.take();
    announce(input);
    try {
      await target.check(input);
    } catch {
      return new Map(); // reported already
    }
    return reachedBy(coverage.take());
  };

  const all: Reached = new Map();
  const kept: Buffer[] = [];
  for (const input of committed) {
    const reached = await reach(input);
    if (newIn(reached, all).size === 0) continue;
    addTo(all, reached);
    kept.push(input);
  }
  for (const input of inputs.toSorted((a, b) => a.length - b.length)) {
    const added = newIn(await reach(input), all);
    if (added.size === 0) continue;
    const small = await minimise(input, async (smaller) => newIn(added, await reach(smaller)).size === 0, TRIES);
    if (small.length > LARGEST) continue;
    addTo(all, await reach(small));
    kept.push(small);
  }
  return kept;
};
