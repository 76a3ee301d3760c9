import { distinctUntilChanged, type Observable, scan, startWith } from 'rxjs';
import type { Valve } from './valve.ts';

interface Levels {
  /** The valve closes when the level reaches this. */
  readonly high: number;
  /** It opens again when the level has fallen to this. */
  readonly low: number;
}

/**
 * A valve that follows a level, such as the bytes of a queue, and does not flutter around a single
 * limit.
 *
 * ```
 * level   -1-5-9-5-1-5-9-|
 * result  o----x---o---x-|
 * (high 9, low 1; o open, x closed)
 * ```
 *
 * Emits `true` on subscription, then each change. Completes and errors with the level.
 */
export const hysteresis = (level: Observable<number>, { high, low }: Levels): Valve =>
  level.pipe(
    scan((open, now) => (open ? now < high : now <= low), true),
    startWith(true),
    distinctUntilChanged(),
  );
