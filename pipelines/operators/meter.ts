import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { operate, type Stage } from './operate.ts';
import { followValve } from './valve.ts';

interface Metering<T> {
  /** The weight of a value, such as its bytes. Default: 1. */
  readonly size?: (value: T) => number;
  readonly scheduler?: SchedulerLike;
}

/** What has passed a meter, through all of its flows together. */
export interface Reading {
  readonly values: number;
  /** The sum of the values’ weights. */
  readonly size: number;
  /** The flows that run now, and those of them whose valve is closed. */
  readonly running: number;
  readonly closed: number;
  /** How often a valve closed, and the milliseconds for which valves were closed. */
  readonly pauses: number;
  readonly closedFor: number;
}

export interface Meter<T> extends Stage<T, T> {
  reading(): Reading;
}

/**
 * Counts what passes, and for how long consumers wanted nothing: who is slow, the source or the
 * consumer? It changes nothing.
 *
 * Emits, completes and errors as the source does. Unsubscribing leaves source and valve.
 */
export const meter = <T>({ size = () => 1, scheduler = asyncScheduler }: Metering<T> = {}): Meter<T> => {
  const sum = { values: 0, size: 0, running: 0, closed: 0, pauses: 0, closedFor: 0 };
  let at = scheduler.now();
  const pass = () => {
    const now = scheduler.now();
    sum.closedFor += sum.closed * (now - at);
    at = now;
  };
  const metering = operate<T, T>((out, valve) => {
    let open = true;
    const move = (state: boolean) => {
      if (state === open) return;
      pass();
      open = state;
      sum.closed += open ? -1 : 1;
      if (!open) sum.pauses += 1;
    };
    sum.running += 1;
    out.add(() => {
      move(true);
      sum.running -= 1;
    });
    followValve(valve, out, move);
    return {
      next: (value) => {
        sum.values += 1;
        sum.size += size(value);
        out.next(value);
      },
    };
  });
  const reading = () => {
    pass();
    return { ...sum };
  };
  return Object.assign(metering, { reading });
};
