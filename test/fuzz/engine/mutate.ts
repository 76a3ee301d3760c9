import { BYTES } from './mutations/bytes.ts';
import { LINES } from './mutations/lines.ts';
import type { Material, Mutation } from './mutations/mutation.ts';
import { NUMBERS } from './mutations/numbers.ts';
import { PIECES } from './mutations/pieces.ts';
import { TOKENS } from './mutations/tokens.ts';

const KINDS: readonly (readonly [weight: number, kind: readonly Mutation[]])[] = [
  [4, BYTES],
  [3, PIECES],
  [4, TOKENS],
  [2, NUMBERS],
  [2, LINES],
];

/** An input after one mutation or, less and less often, more. */
export const mutate = (input: Buffer, material: Material, longest: number): Buffer => {
  const { random } = material;
  let made = input;
  do {
    made = random.pick(random.weighed(KINDS))(made, material).subarray(0, longest);
  } while (random.chance(0.5));
  return made;
};
