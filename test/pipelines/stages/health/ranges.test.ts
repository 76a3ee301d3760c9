import { describe, expect, it } from '@jest/globals';
import { VirtualTimeScheduler } from 'rxjs';
import { createRanges } from '../../../../pipelines/stages/health/ranges.ts';
import { aCandidate, anEntry, headOf } from '../../../support/pipeline.ts';

const remembering = () => {
  const time = new VirtualTimeScheduler();
  const pass = (milliseconds: number) => {
    time.frame += milliseconds;
  };
  return { ranges: createRanges({ lastFor: () => 1000, askedFor: () => 100, scheduler: time }), pass };
};
const candidate = aCandidate('feed', anEntry());
const whole = headOf(candidate, { sourceStatus: 200 });

describe('what is known of the ranges of a URL', () => {
  it('is nothing at first, and of other URLs', () => {
    const { ranges } = remembering();
    expect(ranges.needsWhole(candidate)).toBe(false);
    ranges.failed(candidate, true);
    expect(ranges.needsWhole(aCandidate('other', anEntry()))).toBe(false);
  });

  it.each([
    ['it has refused a part', (ranges: ReturnType<typeof createRanges>) => ranges.failed(candidate, true)],
    ['it says so', (ranges: ReturnType<typeof createRanges>) => ranges.answered({ ...whole, acceptRanges: 'none' })],
  ])('is that it has none if %s, for a time', (_, tell) => {
    const { ranges, pass } = remembering();
    tell(ranges);
    ranges.answered(whole);
    pass(999);
    expect(ranges.needsWhole(candidate)).toBe(true);
    pass(1);
    expect(ranges.needsWhole(candidate)).toBe(false);
  });

  it('is not learned from an answer that is not the whole file, nor from a failure of what was never asked', () => {
    const { ranges } = remembering();
    ranges.answered({ ...whole, sourceStatus: 304, acceptRanges: 'none' });
    expect(ranges.needsWhole(candidate)).toBe(false);
    ranges.failed(candidate, false);
    expect([ranges.needsWhole(candidate), ranges.needsWhole(candidate)]).toEqual([false, false]);
  });

  it('is tried with one request if it announces none, until that is settled', () => {
    const { ranges, pass } = remembering();
    const ask = () => ranges.needsWhole(candidate);
    ranges.answered(whole);
    expect([ask(), ask(), ask()]).toEqual([false, true, true]);
    ranges.failed(candidate, false);
    expect([ask(), ask()]).toEqual([false, true]);
    pass(100);
    expect([ask(), ask()]).toEqual([false, false]);
    ranges.answered({ ...whole, sourceStatus: 206 });
    ranges.answered(whole);
    expect([ask(), ask()]).toEqual([false, false]);
  });

  it('is that it has some if it announces them', () => {
    const { ranges } = remembering();
    ranges.answered({ ...whole, acceptRanges: 'bytes' });
    expect([ranges.needsWhole(candidate), ranges.needsWhole(candidate)]).toEqual([false, false]);
  });

  it('is dropped for the URL heard of longest ago, beyond a thousand', () => {
    const { ranges } = remembering();
    ranges.failed(candidate, true);
    for (let at = 0; at < 1000; at++) ranges.failed(aCandidate(`feed${at}`, anEntry()), true);
    expect(ranges.needsWhole(candidate)).toBe(false);
  });
});
