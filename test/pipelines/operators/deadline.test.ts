import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type SchedulerLike, Subscriber, type Subscription } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { type Deadline, deadline } from '../../../pipelines/operators/deadline.ts';

/** A clock in virtual time that counts its timers. */
const aClock = () => {
  const time = new TestScheduler(() => {});
  time.maxFrames = Number.POSITIVE_INFINITY;
  const timers: Subscription[] = [];
  const clock: SchedulerLike = {
    now: () => time.now(),
    schedule: (...what: Parameters<SchedulerLike['schedule']>) => {
      if (timers.length === 10_000) throw new Error('sets timers without end');
      const timer = time.schedule(...what);
      timers.push(timer);
      return timer;
    },
  };
  return { clock, time, timers, waiting: () => timers.filter(({ closed }) => !closed).length };
};

/** A subscriber that gives its error to `failed`. */
const failing = (failed: (error: unknown) => void): Subscriber<unknown> =>
  new Subscriber<unknown>({ next: () => {}, error: failed, complete: () => {} });
const ignoring = () => failing(() => {});

describe('deadline', () => {
  it('is called when its time has passed, in the order of the times', () => {
    const { clock, time } = aClock();
    const late: string[] = [];
    const set = (name: string, at: number) => deadline(ignoring(), clock, at, () => late.push(`${name} ${time.now()}`));
    for (const [name, at] of [
      ['c', 30],
      ['a', 10],
      ['d', 40],
      ['b', 20],
    ] as const)
      set(name, at);
    time.flush();
    expect(late).toEqual(['a 10', 'b 20', 'c 30', 'd 40']);
  });

  it('shares one timer with all others of its scheduler', () => {
    const { clock, time, timers, waiting } = aClock();
    const all = Array.from({ length: 100 }, (_, at) => deadline(ignoring(), clock, 1000 + at, () => {}));
    expect(timers).toHaveLength(1);
    // Another one at the same time, and one that is never due.
    all.push(
      deadline(ignoring(), clock, 1000, () => {}),
      deadline(ignoring(), clock, Number.POSITIVE_INFINITY, () => {}),
    );
    for (const one of all) one.moveTo(one.at + 5000);
    expect(timers).toHaveLength(1);
    for (const one of all.slice(0, -1)) {
      expect(timers).toHaveLength(1);
      one.unsubscribe();
    }
    expect(waiting()).toBe(0);
    time.flush();
    expect(time.now()).toBe(0);
  });

  it('can be moved, forward and backward, and off', () => {
    const { clock, time } = aClock();
    const late: string[] = [];
    const set = (name: string, at: number): Deadline =>
      deadline(ignoring(), clock, at, () => late.push(`${name} ${time.now()}`));
    const [later, sooner, never, again] = [set('later', 10), set('sooner', 50), set('never', 20), set('again', 15)];
    later.moveTo(60);
    sooner.moveTo(5);
    never.moveTo(Number.POSITIVE_INFINITY);
    again.moveTo(Number.POSITIVE_INFINITY);
    again.moveTo(25);
    time.flush();
    expect(late).toEqual(['sooner 5', 'again 25', 'later 60']);
  });

  it('delays no other one when it is moved on', () => {
    const { clock, time } = aClock();
    const late: string[] = [];
    const set = (name: string, at: number) => deadline(ignoring(), clock, at, () => late.push(`${name} ${time.now()}`));
    const [first] = [set('first', 10), set('second', 20), set('never', Number.POSITIVE_INFINITY)];
    first.moveTo(30);
    time.flush();
    expect(late).toEqual(['second 20', 'first 30']);
  });

  it('can be moved on once it is late', () => {
    const { clock, time } = aClock();
    const late: number[] = [];
    deadline(ignoring(), clock, 10, (one) => {
      late.push(time.now());
      if (late.length < 3) one.moveTo(time.now() + 10);
    });
    time.flush();
    expect(late).toEqual([10, 20, 30]);
  });

  it('ends with its subscriber, and leaves no timer', () => {
    const { clock, time, waiting } = aClock();
    const out = ignoring();
    deadline(out, clock, 10, () => {
      throw new Error('not reached');
    });
    out.unsubscribe();
    expect(waiting()).toBe(0);
    time.flush();
  });

  it('gives an exception to its own subscriber, and calls the others', () => {
    const { clock, time } = aClock();
    const seen: unknown[] = [];
    const out = failing((error) => seen.push(`${error}`));
    deadline(out, clock, 10, () => {
      throw new Error('broken');
    });
    deadline(ignoring(), clock, 10, () => seen.push('other'));
    time.flush();
    expect(seen).toEqual(['Error: broken', 'other']);
  });

  it('keeps the order of many, some of which leave', () => {
    const { clock, time } = aClock();
    const late: number[] = [];
    // All residues, mixed up.
    const times = Array.from({ length: 101 }, (_, index) => 1 + ((index * 37) % 101));
    const all = times.map((at) => deadline(ignoring(), clock, at, () => late.push(at)));
    for (const [index, one] of all.entries()) if (index % 3 === 0) one.unsubscribe();
    time.flush();
    expect(late).toEqual(times.filter((_, index) => index % 3 !== 0).sort((a, b) => a - b));
  });

  it('calls each at its time, and nothing that was moved or left before, whatever else happens', () => {
    /** What is done to a deadline at a time; it is made by the first. No `at`: it leaves. */
    const step = fc.record({
      time: fc.integer({ min: 0, max: 30 }),
      one: fc.nat(15),
      at: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(Number.POSITIVE_INFINITY), fc.constant(undefined)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (unsorted) => {
        const steps = unsorted.toSorted((a, b) => a.time - b.time);
        const { clock, time, waiting } = aClock();
        const late: string[] = [];
        const due = new Map<number, number>();
        const expected: string[] = [];
        /** All that are due before `until`, the soonest first. */
        const pass = (until: number) => {
          for (const [one, at] of [...due].toSorted(([a, x], [b, y]) => x - y || a - b))
            if (at < until) {
              due.delete(one);
              expected.push(`${at}: ${one}`);
            }
        };
        const made = new Map<number, Deadline>();
        for (const { time: now, one, at } of steps)
          time.schedule(() => {
            const known = made.get(one);
            if (at === undefined) {
              known?.unsubscribe();
              made.delete(one);
            } else if (known) known.moveTo(at);
            else
              made.set(
                one,
                deadline(ignoring(), clock, at, () => late.push(`${time.now()}: ${one}`)),
              );
          }, now);
        time.flush();
        for (const { time: now, one, at } of steps) {
          pass(now);
          if (at === undefined) due.delete(one);
          else due.set(one, Math.max(now, at));
        }
        pass(Number.POSITIVE_INFINITY);
        const inOrder = (calls: readonly string[]) =>
          calls.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1));
        expect(late.map((call) => Number.parseInt(call, 10))).toEqual(
          expected.map((call) => Number.parseInt(call, 10)),
        );
        expect(inOrder(late)).toEqual(inOrder(expected));
        for (const one of made.values()) one.unsubscribe();
        expect(waiting()).toBe(0);
      }),
      { numRuns: 500 },
    );
  });
});
