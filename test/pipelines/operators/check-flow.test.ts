import { describe, expect, it } from '@jest/globals';
import { Observable } from 'rxjs';
import { followValve, OPEN, operate, rateLimit } from '../../../pipelines/operators/index.ts';
import {
  brokenBy,
  checkFlow,
  type Law,
  LENT,
  type Lent,
  type OperatorUnderTest,
} from '../../../pipelines/operators/testing/index.ts';

/** Operators that break a law, each with what is found first. */
const BROKEN: readonly (readonly [law: Law, what: RegExp, operator: OperatorUnderTest, holds?: number])[] = [
  [
    'left',
    /^the source runs on$/,
    () => (source) => (valve) =>
      new Observable<Lent>((out) => {
        source(valve).subscribe({
          next: (value) => out.next(value),
          error: (error) => out.error(error),
          complete: () => out.complete(),
        });
      }),
  ],
  [
    'left',
    /^the valve is still followed$/,
    () => (source) => (valve) => {
      valve.subscribe();
      return source(valve);
    },
  ],
  // It forgets its source if it is left while it begins.
  [
    'reentrant',
    /^the source runs on$/,
    () => (source) => (valve) =>
      new Observable<Lent>((out) => {
        const subscription = source(valve).subscribe({
          next: (value) => out.next(value),
          error: (error) => out.error(error),
          complete: () => out.complete(),
        });
        if (!out.closed) out.add(subscription);
      }),
  ],
  ['end', /^the end never came$/, () => operate((out) => ({ next: (value) => out.next(value), complete: () => {} }))],
  [
    'end',
    /^complete came instead of nothing$/,
    () => operate((out) => ({ next: (value) => (value.index === 2 ? out.complete() : out.next(value)) })),
    9,
  ],
  [
    'end',
    /^complete came instead of error$/,
    () => operate((out) => ({ next: (value) => out.next(value), error: () => out.complete() })),
  ],
  ['end', /^complete came after 0 of [1-9]\d* values$/, () => operate(() => ({ next: () => {} })), 1e6],
  [
    'lossless',
    /^value 3 came in place of 4$/,
    () =>
      operate((out) => ({
        next: (value) => {
          out.next(value);
          if (value.index === 3) out.next(value);
        },
      })),
  ],
  ['closed', /^value \d+ was emitted$/, () => (source) => () => source(OPEN), 1e6],
  [
    'held',
    /^value 0 was overwritten$/,
    ({ scheduler }) => operate((out) => ({ next: (value) => out.add(scheduler.schedule(() => out.next(value), 1)) })),
    1e6,
  ],
  ['bounded', /^[1-9]\d* values are held, expected \d+ at most$/, () => operate(() => ({ next: () => {} }))],
];

describe('brokenBy', () => {
  it.each(BROKEN)('says what breaks the law “%s”: %s', (...row) => {
    const [law, what, operator, holds] = row;
    const found = brokenBy(operator, { holds }).find((broken) => broken.law === law);
    expect(found?.what).toMatch(what);
  });

  it('gives the first history that shows it', () => {
    const [, , operator] = BROKEN[0]!;
    const [first] = brokenBy(operator);
    let runs = 1;
    while (runs < 300 && brokenBy(operator, { runs })[0]?.law !== first?.law) runs += 1;
    expect(runs).toBeLessThan(300);
    expect(brokenBy(operator, { runs })).toEqual([first]);
  });
});

describe('checkFlow', () => {
  it('lets an operator take its time, also for what it holds after the source has ended', () =>
    checkFlow(
      ({ lending, scheduler }) =>
        rateLimit({ perSecond: 10, size: () => 1, split: (value) => [value, value], lending, scheduler }),
      { holds: 9 },
    ));

  it('lets an operator keep everything until a moment after the end', () =>
    checkFlow(
      ({ scheduler }) =>
        operate((out, valve) => {
          const held: Lent[] = [];
          let open = true;
          let end: (() => void) | undefined;
          const emit = () => {
            while (open && end && held.length > 0) {
              const value = held.shift() as Lent;
              out.next(value);
              LENT.release(value);
            }
            if (held.length === 0) end?.();
          };
          followValve(valve, out, (state) => {
            open = state;
            emit();
          });
          const endWith = (how: () => void) => {
            out.add(
              scheduler.schedule(() => {
                end = how;
                emit();
              }, 10),
            );
          };
          return {
            next: (value) => {
              LENT.retain(value);
              held.push(value);
            },
            error: (error) => endWith(() => out.error(error)),
            complete: () => endWith(() => out.complete()),
          };
        }),
      { holds: 1e6 },
    ));

  it('has time pass, and sources fail, as the histories say', () => {
    let latest = 0;
    const errors = new Set<string>();
    checkFlow(({ scheduler }) =>
      operate((out) => ({
        next: (value) => {
          latest = Math.max(latest, scheduler.now());
          out.next(value);
        },
        error: (error) => {
          errors.add(`${error}`);
          out.error(error);
        },
      })),
    );
    // One wait lasts 300 at most.
    expect(latest).toBeGreaterThan(300);
    expect([...errors]).toEqual(['Error: on purpose']);
  });
});

describe('a value that is lent', () => {
  it('is overwritten once nobody retains it', () => {
    const value: Lent = { index: 0, overwritten: false, holders: 1 };
    LENT.retain(value);
    LENT.release(value);
    expect(value.overwritten).toBe(false);
    LENT.release(value);
    expect(value.overwritten).toBe(true);
  });
});
