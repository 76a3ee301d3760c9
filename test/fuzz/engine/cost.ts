import type { Random } from '../../faults/random.ts';
import { partOf } from './mutations/mutation.ts';
import type { Finding } from './target.ts';

/** The blocks that the check of an input executes; undefined if it breaks a promise. */
type Measure = (input: Buffer) => Promise<number | undefined>;

/** Bytes of the repeated part in the shortest input. */
const SHORTEST = 256;
/** Twice the input may cost twice as much more. This leaves room for sorting. */
const LINEAR = 3;
/** Fewer blocks say nothing. */
const FEW = 2_000;

/**
 * Repeats a part of an input and looks how the number of executed blocks grows. It is a finding if
 * each of four doublings costs far more than twice the one before: a limit that is exceeded on the
 * way costs once.
 */
export const findCost = async (input: Buffer, random: Random, measure: Measure): Promise<Finding | undefined> => {
  const [from, to] = partOf(input, random);
  if (from === to) return undefined;
  const piece = input.subarray(from, to);
  const times = Math.ceil(SHORTEST / piece.length);
  const inputs = [1, 2, 4, 8, 16].map((factor) =>
    Buffer.concat([input.subarray(0, from), ...Array<Buffer>(times * factor).fill(piece), input.subarray(to)]),
  );
  const costs: number[] = [];
  for (const one of inputs) {
    const cost = await measure(one);
    if (cost === undefined) return undefined;
    costs.push(cost);
    if (costs.length >= 3 && !isSteep(costs)) return undefined;
  }
  return {
    kind: 'cost',
    what: 'cost: more than linear',
    detail: `${JSON.stringify(piece.toString('latin1'))} repeated at byte ${from}, ${times} times and then twice as often each: ${costs.join(', ')} blocks`,
    input: inputs[0] ?? input,
  };
};

/** Whether the last doubling cost far more than twice the one before. */
const isSteep = (costs: readonly number[]): boolean => {
  const [first = 0, second = 0, third = 0] = costs.slice(-3);
  return third > FEW && third - second > LINEAR * Math.max(1, second - first);
};
