import { describe, expect, it } from '@jest/globals';
import { Counter, Registry } from 'prom-client';
import { countsOf, type MetricJson, mergedMetrics, summed } from '../../../../src/observe/metrics/merged.ts';

/** The metrics of a process that has counted some seconds. */
const counting = async (seconds: number): Promise<readonly MetricJson[]> => {
  const registers = [new Registry()];
  new Counter({ name: 'work_seconds_total', help: 'Work', registers }).inc(seconds);
  return registers[0]?.getMetricsAsJSON() ?? [];
};

const totalOf = async (...processes: readonly (readonly MetricJson[])[]): Promise<number> => {
  const { text } = await mergedMetrics(processes, 'text/plain');
  return Number(/^work_seconds_total (\S+)$/m.exec(text)?.[1]);
};

describe('the counts of several processes', () => {
  it('do not fall by a digit when one of them has ended, and is added first from then on', async () => {
    // 0.1 + 0.2 + 0.3 is more than 0.3 + 0.2 + 0.1 with floating-point numbers.
    const [one, two, three] = await Promise.all([0.1, 0.2, 0.3].map(counting));
    if (!one || !two || !three) throw new Error('three were asked for');
    const before = await totalOf(one, two, three);
    const ended = await summed([countsOf(three), countsOf(two)]);
    expect(await totalOf(ended, one)).toBe(before);
    expect(before).toBeCloseTo(0.6, 5);
  });
});
