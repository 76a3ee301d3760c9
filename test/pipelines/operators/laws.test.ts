import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Observable } from 'rxjs';
import * as all from '../../../pipelines/operators/index.ts';
import { followValve, Gate, hold, OPEN, operate } from '../../../pipelines/operators/index.ts';
import {
  brokenBy,
  checkFlow,
  LAWS,
  type Law,
  LENT,
  type Lent,
  type OperatorUnderTest,
  plansFrom,
} from '../../../pipelines/operators/testing/index.ts';
import { lawfulFlows } from '../../support/lawful-flows.ts';

const LAWFUL = lawfulFlows(all);

describe('the laws of flows', () => {
  it.each(Object.entries(LAWFUL))('hold for %s', (_, operator) => checkFlow(operator));

  it('hold for any composition of lawful flows', () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...Object.keys(LAWFUL)), { minLength: 2, maxLength: 5 }),
        fc.nat(),
        (names, seed) => checkFlow(composed(names.map((name) => LAWFUL[name]!)), { runs: 10, seed }),
      ),
      { numRuns: 150 },
    ));

  it('are checked in histories in which each of them could be broken', () => {
    const plans = plansFrom(1);
    const all = Array.from({ length: 300 }, () => plans.next().value);
    for (const kind of ['push', 'open', 'close', 'wait', 'leave', 'complete', 'error'])
      expect(all.filter(({ steps }) => steps.some((step) => step.do === kind)).length).toBeGreaterThan(30);
    expect(all.filter(({ within }) => within).length).toBe(150);
  });
});

const composed =
  (operators: readonly OperatorUnderTest[]): OperatorUnderTest =>
  (given) =>
  (source) =>
    operators.reduce((made, operator) => operator(given)(made), source);

/** Holds `size` values, and emits them one after the other as soon as it may. */
const batched =
  ({ size = 2, retains = true, waits = true, checks = true }): OperatorUnderTest =>
  () =>
    operate<Lent, Lent>((out, valve) => {
      const held: Lent[] = [];
      let [open, least] = [true, size];
      let end: (() => void) | undefined;
      const emit = () => {
        if (held.length < least || !(open || !waits)) return;
        while (held.length > 0 && (open || !checks)) {
          const value = held.shift() as Lent;
          out.next(value);
          if (retains) LENT.release(value);
        }
        if (held.length === 0) end?.();
      };
      followValve(valve, out, (state) => {
        open = state;
        if (!open && !waits) least = 1;
        emit();
      });
      const endWith = (how: () => void) => {
        [end, least] = [how, 0];
        emit();
      };
      return {
        next: (value) => {
          if (retains) LENT.retain(value);
          held.push(value);
          emit();
        },
        error: (error) => endWith(() => out.error(error)),
        complete: () => endWith(() => out.complete()),
      };
    });

/** For each law a mutant that it alone finds. */
const MUTANTS: Readonly<Record<Law, readonly [mutant: OperatorUnderTest, holds?: number]>> = {
  // It empties itself when the valve closes.
  closed: [batched({ waits: false, checks: false }), 2],
  lossless: [
    () =>
      operate<Lent, Lent>((out) => ({
        next: (value) => {
          out.next(value);
          if (value.index === 3) out.next(value);
        },
      })),
  ],
  // It never pauses its source, and holds everything itself.
  bounded: [
    ({ lending }) =>
      (source) =>
      (valve) =>
        hold<Lent>({ limit: 1e6, overflow: 'error', lending })(source(OPEN))(valve),
  ],
  end: [() => operate<Lent, Lent>((out) => ({ next: (value) => out.next(value), error: () => out.complete() }))],
  held: [batched({ retains: false }), 2],
  // The source is left a little later.
  left: [
    () => (source) => (valve) =>
      new Observable<Lent>((out) => {
        const subscription = source(valve).subscribe({
          next: (value) => out.next(value),
          error: (error) => out.error(error),
          complete: () => out.complete(),
        });
        return () => queueMicrotask(() => subscription.unsubscribe());
      }),
  ],
  // It does not look at the valve between two values.
  reentrant: [batched({ checks: false }), 2],
};

describe.each(Object.entries(MUTANTS))('the law “%s”', (law, [mutant, holds]) => {
  it('alone finds a mutant', () => expect(brokenBy(mutant, { holds }).map((broken) => broken.law)).toEqual([law]));
});

describe('a batch', () => {
  it('is lawful if it is none of these', () => expect(brokenBy(batched({}), { holds: 2 })).toEqual([]));
});

describe('the law of composition', () => {
  /** Lawful alone, since `checkFlow` has a Gate. */
  const needsGate: OperatorUnderTest = () => (source) => (valve) => source(valve instanceof Gate ? valve : OPEN);

  it('finds a mutant that is lawful alone', () => {
    expect(brokenBy(needsGate)).toEqual([]);
    const behind = composed([needsGate, LAWFUL.every!]);
    expect(brokenBy(behind)).not.toEqual([]);
  });
});

describe('checkFlow', () => {
  it('says which law is broken, and in which history', () => {
    expect(() => checkFlow(MUTANTS.bounded[0])).toThrow(LAWS.bounded);
    expect(() => checkFlow(MUTANTS.bounded[0])).toThrow(/\{"open":(true|false),"atOnce":\d,"leak":\d,"steps":\[/);
  });
});
