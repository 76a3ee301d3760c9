import type { Random } from '../../../faults/random.ts';

/** What a mutation can draw from. */
export interface Material {
  readonly random: Random;
  /** Pieces of the format. */
  readonly tokens: readonly Buffer[];
  /** Another input of the corpus. */
  other(): Buffer;
}

/** Makes another input of one, which it leaves as it is. */
export type Mutation = (input: Buffer, material: Material) => Buffer;

/** An input with the bytes between two places replaced. */
export const replaced = (input: Buffer, from: number, to: number, by: Uint8Array): Buffer =>
  Buffer.concat([input.subarray(0, from), by, input.subarray(to)]);

/** A place in the input, its end included. */
export const placeIn = (input: Buffer, random: Random): number => random.whole(0, input.length);

/** A part of an input that is not empty if the input is not; mostly a short one. */
export const partOf = (input: Buffer, random: Random): readonly [from: number, to: number] => {
  const from = random.whole(0, Math.max(0, input.length - 1));
  const most = random.chance(0.7) ? 8 : input.length;
  return [from, Math.min(input.length, from + random.whole(1, Math.max(1, most)))];
};
