import { describe, expect, it } from '@jest/globals';
import type { Part } from '../../../pipelines/index.ts';
import { groupsOf, isAscending } from '../../../pipelines/stages/part-groups.ts';

const part = (first: number, last: number): Part => ({ first, last });

describe('the transfers that parts need', () => {
  it('are none without parts', () => expect(groupsOf([])).toEqual([]));

  it('are one for parts in ascending order', () => {
    const parts = [part(0, 1), part(5000, 5001), part(9000, 9001)];
    expect(groupsOf(parts)).toEqual([{ body: parts, parts }]);
  });

  it('are one each for parts in another order', () => {
    const parts = [part(5000, 5001), part(0, 1)];
    expect(groupsOf(parts)).toEqual(parts.map((one) => ({ body: [one], parts: [one] })));
    const twice = [part(5, 6), part(5, 6)];
    expect(groupsOf(twice)).toEqual(twice.map((one) => ({ body: [one], parts: [one] })));
  });

  it('include up to 1024 bytes between parts', () => {
    const [first, near, third, far] = [part(0, 9), part(1034, 1039), part(2064, 2070), part(3096, 3100)] as const;
    expect(groupsOf([first, near, third])).toEqual([{ body: [part(0, 2070)], parts: [first, near, third] }]);
    expect(groupsOf([first, near, third, far])).toEqual([
      { body: [part(0, 2070), far], parts: [first, near, third, far] },
    ]);
    // The near ones of a later part of the body.
    const [next, last] = [part(4125, 4130), part(9000, 9001)];
    expect(groupsOf([first, far, next, last])).toEqual([
      { body: [first, part(3096, 4130), last], parts: [first, far, next, last] },
    ]);
  });

  it('have at most 200 parts each', () => {
    const parts = Array.from({ length: 401 }, (_, at) => part(at * 5000, at * 5000));
    const [one, two, three] = [parts.slice(0, 200), parts.slice(200, 400), parts.slice(400)];
    expect(groupsOf(parts)).toEqual([one, two, three].map((some) => ({ body: some, parts: some })));
  });
});

it('parts are ascending if each begins after the one before it', () => {
  expect(isAscending([part(0, 1)])).toBe(true);
  expect(isAscending([part(0, 5), part(1, 2)])).toBe(true);
  expect(isAscending([part(1, 5), part(1, 2)])).toBe(false);
  expect(isAscending([part(2, 5), part(1, 9)])).toBe(false);
});
