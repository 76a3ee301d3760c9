import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { ShortLivedMap } from '../../../pipelines/operators/short-lived-map.ts';
import { ShortLivedSet } from '../../../pipelines/operators/short-lived-set.ts';
import { seeded } from '../../faults/random.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as (options: { type: 'major' | 'minor' }) => void;

interface AnyMap {
  set(key: number, value: unknown): unknown;
  delete(key: number): boolean;
}

const oldBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? 0;

/** How many bytes became old, of 32 MiB that a map had for a moment each. The map itself is old. */
const becameOld = (map: AnyMap): number => {
  for (let count = 0; count < 3; count += 1) gc({ type: 'major' });
  const before = oldBytes();
  for (let count = 0; count < 4_000; count += 1) {
    map.set(
      count,
      Array.from({ length: 8 }, () => new Array(128).fill(count)),
    );
    map.delete(count - 8);
    if (count % 100 === 0) gc({ type: 'minor' });
  }
  return oldBytes() - before;
};

describe('a map of what is soon removed', () => {
  it('is like a Map, whatever happens to it', () => {
    const random = seeded(28);
    for (let round = 0; round < 20; round += 1) {
      const [ours, plain] = [new ShortLivedMap<number, number>(), new Map<number, number>()];
      // Few keys at first, then more than after which it is made anew.
      for (let step = 0; step < 2_000; step += 1) {
        const key = random.whole(0, step < 1_000 ? 20 : 400);
        const what = random.whole(0, 99);
        if (what === 0) {
          ours.clear();
          plain.clear();
        } else if (what < 60) {
          expect(ours.set(key, step)).toBe(ours);
          plain.set(key, step);
        } else expect(ours.delete(key)).toBe(plain.delete(key));
        expect([ours.size, ours.has(key), ours.get(key)]).toEqual([plain.size, plain.has(key), plain.get(key)]);
      }
      expect([...ours]).toEqual([...plain]);
      expect([...ours.keys()]).toEqual([...plain.keys()]);
      expect([...ours.values()]).toEqual([...plain.values()]);
    }
  });
});

describe('what was removed', () => {
  it('from a map of V8’s becomes old, and is kept: this map is needed', () => {
    expect(becameOld(new Map())).toBeGreaterThan(4 << 20);
  });

  it('from this one is collected at once', () => {
    expect(becameOld(new ShortLivedMap())).toBeLessThan(1 << 20);
  });
});

describe('a set of what is soon removed', () => {
  it('has each member once, in the order in which they were added', () => {
    const set = new ShortLivedSet<number>();
    for (let count = 0; count < 500; count += 1) set.add(count % 100);
    expect([...set]).toEqual(Array.from({ length: 100 }, (_, member) => member));
    expect([set.delete(7), set.delete(7), set.size]).toEqual([true, false, 99]);
    set.clear();
    expect([set.size, ...set]).toEqual([0]);
  });
});
