import { describe, expect, it } from '@jest/globals';
import type { Location, Report } from '../../../../pipelines/index.ts';
import type { FinishedRequest } from '../../../../src/lib/finished-request.ts';
import { createPast } from '../../../../src/observe/live/past.ts';

/** A request whose source was asked at 10 ms, and had a head at `head`. */
const finished = (head: number): FinishedRequest => {
  const report: Report = {
    ...{ id: 'a', method: 'GET', path: '/a.rpm', outcome: 'complete', bytes: 9, duration: head },
    ...{ attempts: [], pauses: 0, pausedFor: 0, recorded: false },
    timeline: [
      { at: 1, what: 'found', detail: '1 candidate' },
      { at: 10, what: 'attempt', detail: 'feed:example' },
      { at: head, what: 'head', detail: '9 bytes' },
    ],
  };
  return { id: 'a', method: 'GET', target: '/a.rpm', status: 200, client: '', duration: head, report };
};

describe('the rates of sources', () => {
  it('have the mean time to a head as soon as it is asked for, the newest with a fifth of the weight', () => {
    const { rates, ...past } = createPast(
      () => 0,
      () => undefined,
    );
    const location = { url: 'http://example/a.rpm', source: { kind: 'feed', id: 'example' } } as const;
    const sum = rates.counter.sumOf?.(location);
    expect(sum).toBeDefined();
    expect(rates.list()).toEqual([{ name: 'feed:example', bytes: 0 }]);
    past.finished(finished(110));
    expect(rates.list()).toEqual([{ name: 'feed:example', bytes: 0, firstByte: 100 }]);
    past.finished(finished(210));
    expect(rates.list()).toMatchObject([{ firstByte: 120 }]);
    expect(rates.list()).toMatchObject([{ firstByte: 120 }]);
  });

  it('are those of each source, also if another was opened in between, or has the same name but another kind', () => {
    const { rates } = createPast(
      () => 0,
      () => undefined,
    );
    const open = (kind: 'feed' | 'alternate', id: string, bytes: number) => {
      const sum = rates.counter.sumOf?.({ url: 'http://example/a.rpm', source: { kind, id } } as Location);
      for (let one = sum; one; one = one.within) one.bytes += bytes;
    };
    open('feed', 'a', 1);
    open('alternate', 'a', 10);
    open('feed', 'a', 100);
    open('feed', 'b', 1_000);
    expect(rates.list()).toEqual([
      { name: 'feed:a', bytes: 101 },
      { name: 'alternate:a', bytes: 10 },
      { name: 'feed:b', bytes: 1_000 },
    ]);
    expect(rates.received()).toBe(1_111);
  });
});
