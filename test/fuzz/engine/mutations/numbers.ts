import { type Mutation, replaced } from './mutation.ts';

/** Numbers beside the limits of the types that parsers keep them in. */
const LIMITS = [
  ...['0', '1', '-1', '00', '01', '+1', '1e3', '0x10', '1.5', 'NaN', 'Infinity', '9', '10', '99', '100'],
  ...['127', '128', '255', '256', '999', '1000', '32767', '32768', '65535', '65536', '16777216'],
  ...['2147483647', '2147483648', '4294967295', '4294967296', '9007199254740991', '9007199254740992'],
  ...['9223372036854775807', '18446744073709551616', '8640000000000000', '8640000000000001', '9'.repeat(400)],
];

const NUMBER = /\d+/g;

const replaceNumber: Mutation = (input, { random }) => {
  const numbers = [...input.toString('latin1').matchAll(NUMBER)];
  if (numbers.length === 0) return input;
  const { index, 0: digits } = random.pick(numbers);
  const near = (BigInt(digits.slice(0, 30)) + BigInt(random.whole(-2, 2))).toString();
  const other = random.pick(numbers)[0];
  return replaced(input, index, index + digits.length, Buffer.from(random.pick([random.pick(LIMITS), near, other])));
};

const replaceDigit: Mutation = (input, { random }) => {
  const digits = [...input.toString('latin1').matchAll(/\d/g)];
  if (digits.length === 0) return input;
  const { index } = random.pick(digits);
  return replaced(input, index, index + 1, Buffer.from(String(random.whole(0, 9))));
};

export const NUMBERS: readonly Mutation[] = [replaceNumber, replaceDigit];
