import { expect, it } from '@jest/globals';
import { backOff } from '../../../pipelines/operators/back-off.ts';

it.each([
  [0, 100, 100],
  [1, 100, 200],
  [9, 100, 1000],
  [5000, 100, 1000],
  [0, 0, 0],
  [5000, 0, 0],
])('after %i earlier failures, %i milliseconds become %i', (failures, wait, expected) => {
  expect(backOff(failures, { wait, waitLimit: 1000, random: () => 1 })).toBe(expected);
});

it.each([
  [0, 50],
  [0.5, 75],
  [1, 100],
])('spreads a wait of 100 milliseconds: %d becomes %i', (random, expected) => {
  expect(backOff(0, { wait: 100, waitLimit: 1000, random: () => random })).toBe(expected);
});
