import { type Mutation, partOf, placeIn, replaced } from './mutation.ts';

const duplicate: Mutation = (input, { random }) => {
  const [from, to] = partOf(input, random);
  return replaced(input, to, to, input.subarray(from, to));
};

/** How often something is repeated: around the limits that parsers have. */
const COUNTS = [2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1024, 4096];

const repeat: Mutation = (input, { random }) => {
  const [from, to] = partOf(input, random);
  const times = random.pick(COUNTS);
  const piece = input.subarray(from, to);
  return replaced(input, to, to, Buffer.alloc(Math.min(piece.length * times, 1 << 16), piece.length > 0 ? piece : 0));
};

const move: Mutation = (input, { random }) => {
  const [from, to] = partOf(input, random);
  const at = placeIn(input, random);
  return replaced(input, at, at, input.subarray(from, to));
};

/** The beginning of one input and the end of another. */
const splice: Mutation = (input, { random, other }) => {
  const second = other();
  return Buffer.concat([input.subarray(0, placeIn(input, random)), second.subarray(placeIn(second, random))]);
};

const borrow: Mutation = (input, { random, other }) => {
  const second = other();
  const at = placeIn(input, random);
  return replaced(input, at, at + random.whole(0, 8), second.subarray(...partOf(second, random)));
};

export const PIECES: readonly Mutation[] = [duplicate, repeat, move, splice, borrow];
