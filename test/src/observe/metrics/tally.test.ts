import { describe, expect, it } from '@jest/globals';
import { Distribution, Tally } from '../../../../src/observe/metrics/tally.ts';

describe('a sum', () => {
  it('is one for each combination of labels, whichever was counted before', () => {
    const tally = new Tally(['kind', 'outcome', 'code']);
    const counted = [
      ['feed', 'failed', 'STALLED', 1],
      ['feed', 'failed', 'HEAD_TIMEOUT', 10],
      ['feed', 'failed', 'STALLED', 100],
      ['feed', 'left', 'STALLED', 1_000],
      ['saved', 'left', 'STALLED', 10_000],
    ] as const;
    for (const [kind, outcome, code, value] of counted) tally.add(value, kind, outcome, code);
    expect([...tally.all()]).toEqual([
      [{ kind: 'feed', outcome: 'failed', code: 'STALLED' }, 101],
      [{ kind: 'feed', outcome: 'failed', code: 'HEAD_TIMEOUT' }, 10],
      [{ kind: 'feed', outcome: 'left', code: 'STALLED' }, 1_000],
      [{ kind: 'saved', outcome: 'left', code: 'STALLED' }, 10_000],
    ]);
  });
});

describe('a distribution', () => {
  it('is one for each label, whichever was observed before', () => {
    const distribution = new Distribution([1, 10], ['kind']);
    distribution.observe(1, 'feed');
    distribution.observe(2, 'saved');
    distribution.observe(11, 'feed');
    expect([...distribution.all()]).toEqual([
      [{ kind: 'feed' }, { counts: [1, 0, 1], sum: 12 }],
      [{ kind: 'saved' }, { counts: [0, 1, 0], sum: 2 }],
    ]);
  });
});
