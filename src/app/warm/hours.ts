import { distinctUntilChanged, map, type Observable, startWith } from 'rxjs';
import type { Hours } from '../../config/kinds.ts';
import { ticks } from '../ticks.ts';

/** Whether a time of the machine's day is within the hours; without any, each is. */
export const isWithin = (hours: readonly Hours[], time: Date): boolean => {
  const now = time.getHours() * 60 + time.getMinutes();
  return (
    hours.length === 0 || hours.some(({ from, to }) => (from < to ? from <= now && now < to : from <= now || now < to))
  );
};

/** Milliseconds between two looks at the clock, which may be set, and has summer time. */
const LOOK = 10_000;

/** Emits whether it is within the hours: at once, and after each change. Never completes. */
export const duringHours = (hours: readonly Hours[], now = () => new Date()): Observable<boolean> =>
  ticks(LOOK).pipe(
    startWith(undefined),
    map(() => isWithin(hours, now())),
    distinctUntilChanged(),
  );
