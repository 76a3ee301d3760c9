import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

const MODULE = new URL('../../../src/lib/bound-heap.ts', import.meta.url).href;

/**
 * Bytes that the space for young objects has most of the time while many of them survive, in a process of its own.
 * In the middle of a collection it has more.
 */
const spaceWith = (bounded: boolean, ...options: string[]): number => {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { setImmediate } from 'node:timers/promises';
    import { boundHeap } from ${JSON.stringify(MODULE)};
    if (${bounded}) boundHeap();
    const kept = [];
    const sizes = [];
    for (let turn = 0; turn < 1500; turn++) {
      for (let count = 0; count < 1000; count++) kept.push({ count, more: [count] });
      await setImmediate();
      const { space_size } = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space');
      if (turn >= 1000) sizes.push(space_size);
    }
    console.log(sizes.sort((a, b) => a - b)[sizes.length / 2]);`;
  return Number(execFileSync(process.execPath, [...options, '--input-type=module', '-e', script]));
};

describe('the space for young objects', () => {
  it('rests at 16 MiB at most, however many survive', () => {
    expect(spaceWith(true)).toBeLessThanOrEqual(16 * 1024 ** 2);
    expect(spaceWith(false)).toBeGreaterThan(16 * 1024 ** 2);
  });

  it('is left to the limit of the command line', () => {
    expect(spaceWith(true, '--max-semi-space-size=16')).toBeGreaterThan(16 * 1024 ** 2);
  });
});

/** The most bytes of older objects while 100,000 of them are in use at a time, in a process of its own. */
const oldWith = (...options: string[]): number => {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { setImmediate } from 'node:timers/promises';
    import { boundHeap } from ${JSON.stringify(MODULE)};
    boundHeap();
    const used = [];
    let most = 0;
    for (let turn = 0; turn < 3000; turn++) {
      for (let count = 0; count < 1000; count++) used[(1000 * turn + count) % 100_000] = { count, more: [count] };
      await setImmediate();
      const { space_used_size } = getHeapSpaceStatistics().find((space) => space.space_name === 'old_space');
      if (turn > 1000) most = Math.max(most, space_used_size);
    }
    console.log(most);`;
  return Number(execFileSync(process.execPath, [...options, '--input-type=module', '-e', script]));
};

describe('the space for older objects', () => {
  it('is collected before garbage takes much of it, unless the command line leaves that to V8', () => {
    expect(oldWith('--heap-growing-percent=0')).toBeGreaterThan(1.5 * oldWith());
  });
});
