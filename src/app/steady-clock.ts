import { asyncScheduler, type SchedulerLike } from 'rxjs';

/**
 * RxJS's own scheduler on a clock that nobody sets (`performance.now()`, milliseconds since the process began). By the wall clock, which
 * it goes by else, a source that stalls just before that is set back would be waited for as long.
 */
export const steadyClock: SchedulerLike = {
  now: () => performance.now(),
  schedule: asyncScheduler.schedule.bind(asyncScheduler),
};
