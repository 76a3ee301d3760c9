import type { Target } from '../engine/target.ts';

/** Planted: a loop that does not move on. */
export const target: Target = {
  about: 'a number, with an endless loop that is planted',
  tokens: [],
  check: (input) => {
    for (let at = 0; at < input.length; at += input[at] === 0x78 ? 0 : 1);
  },
};
