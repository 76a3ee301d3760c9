import { describe, expect, it } from '@jest/globals';
import { hold, type Measured, ratiosOf } from '../../bench/contest.ts';
import { comparisonOf, tableOf } from '../../bench/report.ts';
import { sizesOf } from '../../bench/sizes.ts';

const measured = (id: string, ours: boolean, ...costs: number[]): Measured => ({
  id,
  name: id,
  ours,
  costs,
  also: undefined,
});

describe('hold', () => {
  it('runs the contenders in turn, and one round that is not measured first', async () => {
    const order: string[] = [];
    const contender = (id: string) => ({ id, name: id, run: async () => order.push(id) });
    const result = await hold({ title: 'work', unit: 's', rounds: 2, contenders: [contender('a'), contender('b')] });
    expect(order).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
    expect(result.measured.map(({ costs }) => costs)).toEqual([
      [3, 5],
      [4, 6],
    ]);
  });
});

describe('ratiosOf', () => {
  it('names the product before each peer, and compares round with round', () => {
    const costs = [
      measured('nginx', false, 1, 10, 1),
      measured('node', false, 4, 4, 4),
      measured('feed', true, 2, 20, 3),
    ];
    expect(ratiosOf([{ title: 'work', unit: 's', measured: costs }])).toEqual({
      'feed/nginx': { median: 2, min: 2, max: 3 },
      'feed/node': { median: 0.75, min: 0.5, max: 5 },
    });
  });
});

describe('comparisonOf', () => {
  it('reports what lost or gained more than 3 %, and what was not measured', () => {
    const ratio = (median: number) => ({ median, min: median, max: median });
    const now = { 'a/x': ratio(2.05), 'b/x': ratio(2.07), 'c/x': ratio(1.9), 'd/x': { median: 3, min: 1, max: 4 } };
    const lines = comparisonOf({ 'a/x': 2, 'b/x': 2, 'c/x': 2, 'd/x': 2, 'e/x': 2 }, now).split('\n').slice(1);
    expect(lines.map((line) => line.trim().replace(/ +/g, ' '))).toEqual([
      '2.00 2.05 2 % a/x',
      '2.00 2.07 3 % LOST b/x',
      '2.00 1.90 -5 % gained c/x',
      '2.00 3.00 50 % LOST d/x, but the rounds include the committed one',
      'not measured e/x',
    ]);
  });
});

describe('tableOf', () => {
  it('shows median, least, greatest and the ratio to the first', () => {
    const table = tableOf({
      title: 'Work',
      unit: 's',
      measured: [measured('a', false, 3, 1, 2), measured('b', true, 4, 6, 8)],
    });
    expect(table.split('\n')).toEqual([
      'Work (s)',
      '   median      min      max    ratio',
      '     2.00     1.00     3.00     1.00  a',
      '     6.00     4.00     8.00     4.00  b',
    ]);
  });
});

describe('sizesOf', () => {
  it('takes each size from its variable', () => {
    expect(sizesOf(true, { BENCH_WARM_UP: '7' })).toEqual({ ...sizesOf(true, {}), warmUp: 7 });
  });

  it.each(['0', '-1', '1.5', '1e3', '', 'many'])('refuses %j', (value) => {
    expect(() => sizesOf(false, { BENCH_CLIENT_BYTES: value })).toThrow(
      'BENCH_CLIENT_BYTES: expected a positive whole',
    );
  });
});
