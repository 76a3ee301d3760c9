import { asyncScheduler, type SchedulerLike } from 'rxjs';

/**
 * RxJS's scheduler on a monotonic clock (`performance.now()`, milliseconds since the process
 * began). Its default is the wall clock: if that is set back by an hour, a time-out that just began
 * would take an hour longer.
 */
export const steadyClock: SchedulerLike = {
  now: () => performance.now(),
  schedule: asyncScheduler.schedule.bind(asyncScheduler),
};
