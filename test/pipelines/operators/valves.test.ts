import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BehaviorSubject, EMPTY, NEVER, Subject } from 'rxjs';
import { every, hysteresis, OPEN, some } from '../../../pipelines/index.ts';
import { marbles } from '../../support/pipeline.ts';

const VALVE = { o: true, x: false };

describe.each([
  ['every', every, (states: readonly boolean[]) => states.every(Boolean)],
  ['some', some, (states: readonly boolean[]) => states.some(Boolean)],
] as const)('%s', (_, join, judge) => {
  it('has the state of its valves, at first and after each move, and emits no state twice', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(3), fc.boolean())),
        (initial, moves) => {
          const valves = initial.map((open) => new BehaviorSubject(open));
          const seen: boolean[] = [];
          join(...valves).subscribe((open) => seen.push(open));
          expect(seen).toEqual([judge(initial)]);
          for (const [at, open] of moves) {
            valves[at % valves.length]?.next(open);
            expect(seen.at(-1)).toBe(judge(valves.map(({ value }) => value)));
          }
          expect(seen.some((open, at) => at > 0 && seen[at - 1] === open)).toBe(false);
        },
      ),
    );
  });

  it('counts a valve as open until it emits', () => {
    const seen: boolean[] = [];
    join(NEVER, NEVER).subscribe((open) => seen.push(open));
    expect(seen).toEqual([true]);
  });

  it('keeps the last state of a valve that completes, and completes with the last one', () =>
    marbles(({ cold, expectObservable }) => {
      const result = join(cold('x-----o-|', VALVE), cold('x-------x--(o|)', VALVE));
      expectObservable(result).toBe(judge([true, false]) ? '(ox)--o----|' : '(ox)-------(o|)', VALVE);
      expectObservable(join(EMPTY, EMPTY)).toBe('(o|)', VALVE);
    }));

  it('errors with the first that does, and leaves the others', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const other = cold('o-----', VALVE);
      expectObservable(join(cold<boolean>('o--#', VALVE), other)).toBe('o--#', VALVE);
      expectSubscriptions(other.subscriptions).toBe('^--!');
    }));

  it('leaves all when unsubscribed', () => {
    const valves = [new Subject<boolean>(), new Subject<boolean>()];
    join(...valves)
      .subscribe()
      .unsubscribe();
    expect(valves.map(({ observed }) => observed)).toEqual([false, false]);
  });
});

describe('hysteresis', () => {
  it('is open at first, also between the levels', () =>
    marbles(({ cold, expectObservable }) => {
      const levels = { a: 5, b: 9, c: 5, d: 1, e: 8 };
      expectObservable(hysteresis(cold('-a-b-c-d-e-|', levels), { high: 9, low: 1 })).toBe('o--x---o---|', VALVE);
    }));
});

it('is always open for a consumer that always wants more', () =>
  marbles(({ expectObservable }) => expectObservable(OPEN).toBe('(o|)', VALVE)));
