import { describe, expect, it } from '@jest/globals';
import { VirtualTimeScheduler } from 'rxjs';
import { createMisses } from '../../pipelines/misses.ts';

const START = 1_000;

/** Paths that are missing, for 10 ms each, and a limit for each client. */
const aMemory = (maxMisses: number) => {
  const scheduler = new VirtualTimeScheduler();
  scheduler.frame = START;
  const misses = createMisses({ maxAge: 10, maxMisses, scheduler });
  return {
    misses,
    /** A client asks for a path that is missing. */
    miss: (path: string, client?: string) => {
      misses.ask(path, client);
      misses.missed(path);
    },
    /** Milliseconds after the start. */
    at: (time: number) => {
      scheduler.frame = START + time;
    },
  };
};

describe('paths that are missing', () => {
  it('are known for a while', () => {
    const { misses, miss, at } = aMemory(9);
    expect(misses.isKnown('/a')).toBe(false);
    miss('/a');
    at(9);
    expect([misses.isKnown('/a'), misses.isKnown('/b')]).toEqual([true, false]);
    at(10);
    expect(misses.isKnown('/a')).toBe(false);
  });

  it('are only those that somebody asked for', () => {
    const { misses } = aMemory(1);
    misses.missed('/a');
    expect(misses.isKnown('/a')).toBe(false);
    expect(misses.isRefused(undefined)).toBe(false);
  });

  it('count once, for the client that asked last', () => {
    const { misses, miss } = aMemory(2);
    misses.ask('/a', 'first');
    miss('/a', 'last');
    misses.missed('/a');
    miss('/b', 'last');
    expect([misses.isRefused('first'), misses.isRefused('last')]).toEqual([false, true]);
    const again = aMemory(2);
    again.miss('/a', 'last');
    again.misses.missed('/a');
    expect(again.misses.isRefused('last')).toBe(false);
  });

  it('count together for clients that are not known', () => {
    const { misses, miss } = aMemory(1);
    miss('/a');
    expect([misses.isRefused(undefined), misses.isRefused(''), misses.isRefused('other')]).toEqual([true, true, false]);
    expect(() => misses.ask('/b', undefined)).toThrow('/b was not asked for');
  });

  it('are not limited by 0', () => {
    const { misses, miss } = aMemory(0);
    miss('/a');
    miss('/b');
    expect(misses.isRefused(undefined)).toBe(false);
    expect(() => misses.ask('/c', undefined)).not.toThrow();
  });

  it('count for a minute from the first one', () => {
    const { misses, miss, at } = aMemory(2);
    miss('/a');
    at(40_000);
    miss('/b');
    expect(misses.isRefused(undefined)).toBe(true);
    at(59_999);
    expect(misses.isRefused(undefined)).toBe(true);
    at(60_000);
    expect(misses.isRefused(undefined)).toBe(false);
    miss('/c');
    expect(misses.isRefused(undefined)).toBe(false);
  });
});
