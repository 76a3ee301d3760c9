import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EMPTY } from 'rxjs';
import type { Ask, OpenSource } from '../../../pipelines/index.ts';
import { BACKGROUND, createContention } from '../../../src/sources/contention.ts';
import { aCandidate, anEntry, usable } from '../../support/pipeline.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

/** Contention, and what it has told. */
const aContention = () => {
  const contention = createContention(() => 10_000);
  const told: boolean[] = [];
  contention.free.subscribe((free) => told.push(free));
  const asks: Ask[] = [];
  const open: OpenSource = (_, ask) => () => {
    asks.push(ask);
    return EMPTY;
  };
  const watched = contention.watch(open);
  const location = usable(aCandidate('feed', anEntry()));
  return {
    ...{ contention, told },
    /** What a source is asked for by a client. */
    ask: (client: string, waits?: (waiting: boolean) => void): Ask => {
      const found = watched(location, { method: 'GET', from: 0, client, ...(waits && { waits }) });
      found(EMPTY as never).subscribe();
      return asks.at(-1) as Ask;
    },
  };
};
const later = () => jest.advanceTimersByTimeAsync(0);

describe('Contention', () => {
  it('begins when a client waits, and ends a while after none does', async () => {
    const { ask, told } = aContention();
    const passedOn: boolean[] = [];
    const { waits } = ask('192.0.2.1', (waiting) => passedOn.push(waiting));
    expect(told).toEqual([true]);
    waits?.(true);
    await later();
    expect(told).toEqual([true, false]);
    waits?.(false);
    await jest.advanceTimersByTimeAsync(1_900);
    expect(told).toEqual([true, false]);
    await jest.advanceTimersByTimeAsync(200);
    expect([told, passedOn]).toEqual([
      [true, false, true],
      [true, false],
    ]);
  });

  it('lasts as long as any client waits', async () => {
    const { ask, told, contention } = aContention();
    const { waits } = ask('192.0.2.1');
    waits?.(true);
    const end = contention.waits();
    waits?.(false);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(told).toEqual([true, false]);
    end();
    end();
    await jest.advanceTimersByTimeAsync(2_100);
    expect(told).toEqual([true, false, true]);
  });

  it('forgets a client that has left its queue', async () => {
    const { ask, told } = aContention();
    ask('192.0.2.1').waits?.(true);
    await jest.advanceTimersByTimeAsync(12_100);
    expect(told).toEqual([true, false, true]);
  });

  it('is not told of a client that gets its place at once, nor of those who give way', async () => {
    const { ask, told, contention } = aContention();
    contention.waits()();
    ask(BACKGROUND).waits?.(true);
    await later();
    expect(told).toEqual([true]);
  });
});
