import { performance } from 'node:perf_hooks';
import { Subscription } from 'rxjs';
import type { Families } from './families.ts';

/** Milliseconds between two samples of the delay. A pause as long as this is always seen. */
const EVERY = 500;
/** Seconds. A timer of Node is late by up to a millisecond. */
const DELAYS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/**
 * How busy the thread is that serves. The library asks every 10 ms: that wakes an idle process a
 * hundred times a second, for 5 ms of CPU, which is 4 % of each request at 300 a second.
 */
export const eventLoopMetrics = ({ histogram, total }: Families): Subscription => {
  const delay = histogram({
    name: 'event_loop_delay_seconds',
    help: `How late timers are, since the event loop does something else; sampled every ${EVERY / 1000} s`,
    buckets: DELAYS,
  });
  total(
    {
      name: 'event_loop_active_seconds_total',
      help: 'Time in which the event loop worked, since the process began; its rate is 1 if it never rests',
    },
    (set) => set(performance.eventLoopUtilization().active / 1000),
  );
  let due = performance.now() + EVERY;
  const timer = setTimeout(() => {
    const now = performance.now();
    delay.observe(Math.max(0, now - due) / 1000);
    due = now + EVERY;
    timer.refresh();
  }, EVERY).unref();
  return new Subscription(() => clearTimeout(timer));
};
