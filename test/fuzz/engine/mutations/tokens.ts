import { type Mutation, placeIn, replaced } from './mutation.ts';

const insertToken: Mutation = (input, { random, tokens }) => {
  if (tokens.length === 0) return input;
  const at = placeIn(input, random);
  return replaced(input, at, at, random.pick(tokens));
};

/** Words and numbers: what a format mostly allows to be something else. */
const WORD = /[\w.+/-]+/g;

const replaceWord: Mutation = (input, { random, tokens }) => {
  const words = [...input.toString('latin1').matchAll(WORD)];
  if (words.length === 0 || tokens.length === 0) return input;
  const { index, 0: word } = random.pick(words);
  return replaced(input, index, index + word.length, random.pick(tokens));
};

export const TOKENS: readonly Mutation[] = [insertToken, replaceWord];
