import { type Mutation, partOf, placeIn, replaced } from './mutation.ts';

/** Bytes that formats give a meaning, and those beside the limits of ranges. */
const ODD = Buffer.from('\0\t\n\r "#%&\'()*+,-./0129:;<=>?@AZ[\\]_az{|}~\x1b\x7f\x80\xa0\xbf\xc0\xef\xff', 'latin1');

const flipBit: Mutation = (input, { random }) => {
  const at = random.whole(0, Math.max(0, input.length - 1));
  return replaced(input, at, at + 1, Buffer.of((input[at] ?? 0) ^ (1 << random.whole(0, 7))));
};

const anyByte: Mutation = (input, { random }) => {
  const at = random.whole(0, Math.max(0, input.length - 1));
  return replaced(input, at, at + 1, Buffer.of(random.whole(0, 255)));
};

const oddByte: Mutation = (input, { random }) => {
  const at = placeIn(input, random);
  return replaced(input, at, at + random.whole(0, 1), Buffer.of(random.pick([...ODD])));
};

const remove: Mutation = (input, { random }) => replaced(input, ...partOf(input, random), Buffer.alloc(0));

const cut: Mutation = (input, { random }) => input.subarray(0, placeIn(input, random));

export const BYTES: readonly Mutation[] = [flipBit, anyByte, oddByte, remove, cut];
