import { describe, expect, it } from '@jest/globals';
import { type SchedulerLike, VirtualTimeScheduler } from 'rxjs';
import { createOverdue } from '../../../pipelines/operators/overdue.ts';

/** Calls after 100 milliseconds, and the timers that have not fired. */
const overdueAfter100 = () => {
  const time = new VirtualTimeScheduler();
  const timers = new Set<unknown>();
  const scheduler = {
    now: () => time.now(),
    schedule: (work: () => void, delay: number) => {
      const timer = time.schedule(() => {
        timers.delete(timer);
        work();
      }, delay);
      timers.add(timer);
      timer.add(() => timers.delete(timer));
      return timer;
    },
  } as unknown as SchedulerLike;
  const log: string[] = [];
  const overdue = createOverdue<string>(scheduler, 100, (item) => log.push(`${item} ${time.now()}`));
  const at = (frame: number, act: () => void) => time.schedule(act, frame);
  return { time, timers, log, overdue, at };
};

describe('createOverdue', () => {
  it('calls for each item that waits for so long, at most a quarter later', () => {
    const { time, timers, log, overdue, at } = overdueAfter100();
    overdue.add('a');
    at(10, () => overdue.add('b'));
    at(60, () => overdue.add('c'));
    at(300, () => overdue.add('d'));
    time.flush();
    expect(log).toEqual(['a 100', 'b 125', 'c 160', 'd 400']);
    expect(timers.size).toBe(0);
  });

  it('has one timer for all, and none if nothing waits', () => {
    const { time, timers, overdue, at } = overdueAfter100();
    expect(timers.size).toBe(0);
    for (const item of 'abc') overdue.add(item);
    expect(timers.size).toBe(1);
    at(100, () => expect(timers.size).toBe(0));
    time.flush();
  });

  it('lets an item that is added again begin again, behind the others', () => {
    const { time, log, overdue, at } = overdueAfter100();
    overdue.add('a');
    at(20, () => overdue.add('b'));
    at(50, () => overdue.add('a'));
    time.flush();
    expect(log).toEqual(['b 125', 'a 150']);
  });

  it('never calls for an item that was deleted', () => {
    const { time, log, overdue, at } = overdueAfter100();
    for (const item of 'ab') overdue.add(item);
    at(99, () => overdue.delete('a'));
    time.flush();
    expect(log).toEqual(['b 100']);
  });

  it('calls for all at once when asked to, once, and leaves no timer', () => {
    const { time, timers, log, overdue, at } = overdueAfter100();
    expect(overdue.flush()).toBe(false);
    for (const item of 'ab') overdue.add(item);
    at(50, () => {
      expect(overdue.flush()).toBe(true);
      expect(overdue.flush()).toBe(false);
      expect(timers.size).toBe(0);
    });
    at(60, () => overdue.add('c'));
    time.flush();
    expect(log).toEqual(['a 50', 'b 50', 'c 160']);
  });
});
