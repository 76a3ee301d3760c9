import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

const MODULE = new URL('../../../src/lib/young-objects.ts', import.meta.url).href;

/** Bytes of the space for young objects after many of them survived, in a process of its own. */
const spaceAfter = (bounded: boolean, ...options: string[]): number => {
  const script = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { setImmediate } from 'node:timers/promises';
    import { boundYoungObjects } from ${JSON.stringify(MODULE)};
    if (${bounded}) boundYoungObjects();
    const kept = [];
    for (let turn = 0; turn < 1500; turn++) {
      for (let count = 0; count < 1000; count++) kept.push({ count, more: [count] });
      await setImmediate();
    }
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);`;
  return Number(execFileSync(process.execPath, [...options, '--input-type=module', '-e', script]));
};

describe('the space for young objects', () => {
  it('stays at 16 MiB, however many survive', () => {
    expect(spaceAfter(true)).toBeLessThanOrEqual(16 * 1024 ** 2);
    expect(spaceAfter(false)).toBeGreaterThan(16 * 1024 ** 2);
  });

  it('is left to the limit of the command line', () => {
    expect(spaceAfter(true, '--max-semi-space-size=16')).toBeGreaterThan(16 * 1024 ** 2);
  });
});
