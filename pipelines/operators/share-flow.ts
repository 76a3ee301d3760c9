import { asyncScheduler, NEVER, Observable, type SchedulerLike } from 'rxjs';
import type { Bounds, Join } from './join.ts';
import { type Lending, OWNED } from './lending.ts';
import { createOverdue } from './overdue.ts';
import { Shared, type SharingParts } from './shared.ts';
import { ShortLivedMap } from './short-lived-map.ts';
import type { Flow } from './valve.ts';

interface SharedFlows<T> extends Bounds<T> {
  /** Retains the values that are kept. Default: values belong to their receiver. */
  readonly lending?: Lending<T>;
  /** Ends what runs or waits without a consumer. Default: never. */
  readonly closing?: Observable<unknown>;
  readonly scheduler?: SchedulerLike;
}

/** Milliseconds that the values of a source without a consumer wait for one. */
const LINGER = 60_000;

/**
 * Shares one source among many consumers, each at its own speed. No consumer slows down another.
 *
 * ```
 * source        --a-b----c-d-e-|
 * slow’s own               -b-c-d-e-|
 * slow’s valve  o--x-----------------
 * quick         --a-b----c-d-e-|
 * late              (Jab)c-d-e-|
 * slow          J-a---------b-c-d-e-|
 * (window 2; J to each consumer that joins; o open, x closed)
 * ```
 *
 * Emits the source's values, from the first one, while the consumer's valve is open. The source
 * runs while at least one consumer wants more. At most a window of its values is kept. A consumer
 * that has not taken a value when it is dropped leaves the source and continues with `fallback`.
 * Once the first value has been dropped, a new consumer gets a new source, and later consumers
 * share that one.
 *
 * With `basins`, a consumer whose valve stays closed for `lag` no longer counts: the source runs on
 * into a basin, from which the consumer takes its values later, and others from the first one on.
 * A small rest of a source that all consumers left is read to its end, too: its values wait for a
 * consumer for a minute. A source whose values stay (`Join.stays`) waits, paused, for `lag` after
 * its last consumer left, if the next one can have all of them. When `closing` emits, no source runs
 * or waits without a consumer any more.
 *
 * Completes and errors with the source, after the consumer has taken all earlier values.
 * Unsubscribing leaves the source to the other consumers. The last one unsubscribes from the source,
 * unless it goes on or waits.
 */
export const shareFlow = <T>({
  lending = OWNED,
  closing = NEVER,
  scheduler = asyncScheduler,
  basins,
  ...bounds
}: SharedFlows<T>): ((join: Join<T>) => Flow<T>) => {
  const lagging: SharingParts<T>['lagging'] = createOverdue(scheduler, basins?.lag ?? 0, (consumer) => consumer.lags());
  const lingering: SharingParts<T>['lingering'] = createOverdue(scheduler, LINGER, (shared) => shared.expire());
  const awaiting: SharingParts<T>['awaiting'] = createOverdue(scheduler, basins?.lag ?? 0, (shared) => shared.expire());
  const running: SharingParts<T>['running'] = new ShortLivedMap();
  const parts: SharingParts<T> = {
    ...bounds,
    // Values that wait for a consumer that may never come make room.
    basins: basins && {
      ...basins,
      make: (from, rest) => basins.make(from, rest) ?? (lingering.flush() ? basins.make(from, rest) : undefined),
    },
    lending,
    running,
    held: 0,
    lagging,
    lingering,
    awaiting,
    alone: new Set(),
    closed: false,
  };
  closing.subscribe(() => {
    parts.closed = true;
    lingering.flush();
    awaiting.flush();
    for (const shared of parts.alone) shared.stop();
  });

  return ({ key, orKey, expected, stays, source, fallback, onJoin }) =>
    (valve) =>
      new Observable<T>((out) => {
        const other = orKey === undefined ? undefined : running.get(orKey);
        const found = other?.admits ? other : running.get(key);
        const shared = found?.admits ? found : new Shared(parts, key, expected);
        if (shared !== found) running.set(key, shared);
        if (shared === found) out.next(onJoin);
        shared.add(out, { valve, fallback, stays });
        if (shared !== found) shared.run(source);
      });
};
