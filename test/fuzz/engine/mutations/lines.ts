import type { Mutation } from './mutation.ts';

/** Most formats are lines: what is read line by line is changed line by line. */
const onLines =
  (change: (lines: Buffer[], at: number, other: number) => Buffer[]): Mutation =>
  (input, { random }) => {
    const lines = linesOf(input);
    const [at, other] = [random.whole(0, lines.length - 1), random.whole(0, lines.length - 1)];
    return Buffer.concat(change(lines, at, other));
  };

/** With their ends. */
const linesOf = (input: Buffer): Buffer[] => {
  const lines: Buffer[] = [];
  for (let at = 0; at < input.length; ) {
    const end = input.indexOf(10, at) + 1 || input.length;
    lines.push(input.subarray(at, end));
    at = end;
  }
  return lines.length > 0 ? lines : [input];
};

export const LINES: readonly Mutation[] = [
  onLines((lines, at) => lines.toSpliced(at, 1)),
  onLines((lines, at, other) => lines.toSpliced(other, 0, lines[at] ?? Buffer.alloc(0))),
  onLines((lines, at, other) => lines.with(at, lines[other] ?? Buffer.alloc(0))),
];
