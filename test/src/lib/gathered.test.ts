import { describe, expect, it } from '@jest/globals';
import { Gathered } from '../../../src/lib/gathered.ts';

describe('gathered values', () => {
  it('are worked on 32 at a time, in their order, or when a result is wanted', () => {
    const done: number[] = [];
    const gathered = new Gathered<number>((value) => done.push(value));
    const { add } = gathered;
    for (let value = 0; value < 31; value += 1) add(value);
    expect(done).toEqual([]);
    add(31);
    expect(done).toEqual(Array.from({ length: 32 }, (_, value) => value));
    add(32);
    expect(done).toHaveLength(32);
    gathered.flush();
    expect(done).toHaveLength(33);
  });

  it('are worked on once, also those that are added meanwhile', () => {
    const done: number[] = [];
    const gathered = new Gathered<number>((value) => {
      done.push(value);
      if (value === 0) gathered.add(10);
    });
    gathered.add(0);
    gathered.add(1);
    gathered.flush();
    expect(done).toEqual([0, 1]);
    gathered.flush();
    gathered.flush();
    expect(done).toEqual([0, 1, 10]);
  });
});
