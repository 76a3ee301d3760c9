import { describe, expect, it } from '@jest/globals';
import { of } from 'rxjs';
import { Gate, stallTimeout } from '../../../pipelines/operators/index.ts';
import { flowMarbles, misbehaving, plansFrom, type Step } from '../../../pipelines/operators/testing/index.ts';

const equal = (actual: unknown, expected: unknown) => expect(actual).toEqual(expected);

describe('flowMarbles', () => {
  it('has rows of valves', () =>
    flowMarbles(equal, ({ cold, valveOf, expectObservable, expectValve }) => {
      const source = () => cold('   a--b-------------');
      const valve = valveOf('       o----x-----o-----');
      const result = '              a--b------------#';
      expectObservable(stallTimeout({ timeoutMs: 5, error: () => 'error' })(source)(valve)).toBe(result);
      expectValve(valve, '          o----x-----o-----');
    }));

  it('begins with a closed valve if the row does', () =>
    flowMarbles(equal, ({ valveOf }) => {
      const seen: boolean[] = [];
      valveOf('x-o').subscribe((open) => seen.push(open));
      expect(seen).toEqual([false]);
    }));

  it('fails if an expectation does', () => {
    const wrong = () => flowMarbles(equal, ({ expectObservable }) => expectObservable(of('a')).toBe('b'));
    expect(wrong).toThrow();
    const moves = () => flowMarbles(equal, ({ valveOf, expectValve }) => expectValve(valveOf('o--x'), 'o-x'));
    expect(moves).toThrow();
  });
});

describe('plansFrom', () => {
  it('has everything happen often enough, and ends seldom', () => {
    const made = plansFrom(1);
    const plans = Array.from({ length: 3000 }, () => made.next().value);
    const steps = plans.flatMap((plan) => plan.steps);
    const share = (kind: Step['do']) => steps.filter((step) => step.do === kind).length / steps.length;
    for (const [kind, expected] of [
      ['push', 0.57],
      ['open', 0.11],
      ['close', 0.11],
      ['wait', 0.11],
      ['leave', 0.033],
      ['complete', 0.033],
      ['error', 0.033],
    ] as const)
      expect(Math.abs(share(kind) / expected - 1)).toBeLessThan(0.1);
    expect(Math.abs(plans.filter(({ open }) => open).length / plans.length - 0.7)).toBeLessThan(0.05);
    const from = (values: readonly number[]) => [Math.min(...values), Math.max(...values)];
    expect(from(steps.flatMap((step) => (step.do === 'push' ? step.count : [])))).toEqual([1, 4]);
    expect(from(steps.flatMap((step) => (step.do === 'wait' ? step.ms : [])))).toEqual([1, 301]);
    expect(from(plans.map((plan) => plan.atOnce))).toEqual([0, 2]);
    expect(from(plans.map((plan) => plan.leak))).toEqual([0, 3]);
    expect(from(plans.map((plan) => plan.steps.length))).toEqual([3, 15]);
    expect(from(plans.flatMap(({ within }) => within?.at ?? []))).toEqual([0, 5]);
    expect(plans.slice(0, 4).map(({ within }) => within !== undefined)).toEqual([false, true, false, true]);
  });
});

describe('misbehaving', () => {
  it('goes on for a few values after it was paused, and lends its values', () => {
    const valve = new Gate(true);
    const source = misbehaving({ atOnce: 1, leak: 2 });
    const seen: number[] = [];
    const subscription = source.flow(valve).subscribe((value) => {
      expect(value.overwritten).toBe(false);
      seen.push(value.index);
    });
    source.push(2);
    valve.next(false);
    source.push(5);
    expect([seen, source.pushed, source.leaked]).toEqual([[0, 1, 2], 5, 2]);
    valve.next(true);
    expect([seen, source.leaked]).toEqual([[0, 1, 2, 3, 4], 0]);
    source.push(9);
    expect([seen.length, source.leaked, source.closed]).toEqual([14, 0, false]);
    subscription.unsubscribe();
    expect(source.closed).toBe(true);
  });

  it('goes on no further if it is paused once more, within what it had pushed then', () => {
    const valve = new Gate(false);
    const source = misbehaving({ leak: 1 });
    source.flow(valve).subscribe(() => valve.next(false));
    source.push(5);
    valve.next(true);
    source.push(5);
    expect(source.pushed).toBe(1);
  });

  it('does nothing before it begins, and is closed once it has ended', () => {
    const source = misbehaving();
    source.push(1);
    source.complete();
    source.error(new Error('too early'));
    expect([source.closed, source.pushed]).toEqual([false, 0]);
    source.flow(new Gate(true)).subscribe();
    source.complete();
    expect(source.closed).toBe(true);
  });
});
