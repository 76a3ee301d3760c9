import type { Target } from '../engine/target.ts';

/** Planted: each word is compared with all others. */
const withDefect = (text: string): number => {
  const words = text.split(' ');
  return words.filter((word, at) => words.some((other, nth) => nth > at && other === `${word}!`)).length;
};

export const target: Target = {
  about: 'words, at a cost that is planted',
  tokens: [' '],
  check: (input) => {
    withDefect(input.toString('latin1'));
  },
};
