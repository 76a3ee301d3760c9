import type { Random } from '../../faults/random.ts';

/** The inputs that each reach code that those before them did not. */
export interface Corpus {
  add(input: Buffer): void;
  /** An input to mutate. Inputs that were chosen less often come sooner. */
  choose(): Buffer;
  /** Any input, to take pieces from. */
  any(): Buffer;
  readonly inputs: readonly Buffer[];
}

export const createCorpus = (random: Random): Corpus => {
  const inputs: Buffer[] = [];
  const chosen: number[] = [];
  const at = () => random.whole(0, inputs.length - 1);
  return {
    inputs,
    add: (input) => {
      inputs.push(input);
      chosen.push(0);
    },
    choose: () => {
      const [one, other] = [at(), at()];
      const best = (chosen[one] ?? 0) <= (chosen[other] ?? 0) ? one : other;
      chosen[best] = (chosen[best] ?? 0) + 1;
      return inputs[best] ?? Buffer.alloc(0);
    },
    any: () => inputs[at()] ?? Buffer.alloc(0),
  };
};
