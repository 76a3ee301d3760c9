import {
  asyncScheduler,
  defer,
  merge,
  mergeMap,
  ReplaySubject,
  type SchedulerLike,
  takeUntil,
  throwError,
  timer,
} from 'rxjs';
import {
  LOANS,
  type Location,
  type OpenSource,
  type SourceEvent,
  StreamError,
  sourceName,
} from '../../pipelines/model/index.ts';
import { deferFlow } from '../../pipelines/operators/flow.ts';
import { limitConcurrency } from '../../pipelines/operators/limit-concurrency.ts';
import { rateLimit } from '../../pipelines/operators/rate-limit.ts';
import { holderOf, importerOf } from './holder.ts';

interface Options {
  /** The most milliseconds that a transfer waits for its slot. Read for each: it may change. */
  readonly timeoutMs: number;
  /** Default: those of this process. */
  readonly places?: Places;
  /** Processes that share `maxSpeed`, of which each gets the same part. Default: 1. */
  readonly parts?: number;
  readonly scheduler?: SchedulerLike;
}

/** The places of each holder of a limit. */
export type Places = (holder: string, places: number) => ReturnType<typeof limitConcurrency>;

/** Places of this process, made when they are first used. */
export const createPlaces = (): Places => remembered(limitConcurrency);

/**
 * Enforces the limits of each source over all requests: `maxConcurrent` transfers at a time, and
 * `maxSpeed` bytes per second together. Emits and ends as `open` does. Nothing is opened while a
 * transfer waits for its slot, clients in turn; unsubscribing leaves the queue.
 *
 * A transfer without a slot in time errors with SOURCE_FULL. Another source is tried then, and this
 * one still counts as healthy. The wait does not count as time of the source. Changed limits apply
 * to transfers that start after the change.
 */
export const withLimits = (open: OpenSource, options: Options): OpenSource => {
  const { scheduler = asyncScheduler, places = createPlaces(), parts = 1 } = options;
  const limitOf = remembered((perSecond) =>
    rateLimit({ perSecond: Math.ceil(perSecond / parts), size, split, lending: LOANS, scheduler }),
  );

  return (location, ask) => {
    const { maxConcurrent, maxSpeed } = location.access ?? {};
    const semaphore = maxConcurrent === undefined ? undefined : places(nameOf(location), maxConcurrent);
    const limit = maxSpeed === undefined ? undefined : limitOf(nameOf(location), maxSpeed);
    const events = limit ? limit(open(location, ask)) : open(location, ask);
    if (!semaphore) return events;
    return deferFlow((valve) => {
      const { timeoutMs } = options;
      const entered = new ReplaySubject<void>(1);
      const late = defer(() => {
        ask.waits?.(true);
        return timer(timeoutMs, scheduler);
      }).pipe(
        mergeMap(() => throwError(() => full(location, maxConcurrent, timeoutMs))),
        takeUntil(entered),
      );
      const entering = defer(() => {
        entered.next();
        ask.waits?.(false);
        return events(valve);
      });
      return merge(semaphore(entering, 1, ask.client), late);
    });
  };
};

const full = (location: Location, places: number | undefined, timeoutMs: number): StreamError =>
  new StreamError(
    'SOURCE_FULL',
    'self',
    `${sourceName(holderOf(location))} is at its limit of ${places} concurrent transfers; ${location.url} waited ${timeoutMs} ms`,
  );

/**
 * The holder of a limit: an alternate source, or an importer at a host. Another importer at the same
 * host has separate limits.
 */
const nameOf = (location: Location): string => `${sourceName(holderOf(location))} ${importerOf(location)}`;

/** One limiter for each holder, made again if its limit changes. */
const remembered = <L>(make: (limit: number) => L) => {
  const made = new Map<string, { readonly limit: number; readonly limiter: L }>();
  return (holder: string, limit: number): L => {
    const known = made.get(holder);
    if (known?.limit === limit) return known.limiter;
    const limiter = make(limit);
    made.set(holder, { limit, limiter });
    return limiter;
  };
};

const size = (event: SourceEvent): number => (event.type === 'chunk' ? event.bytes.length : 0);

const split = (event: SourceEvent, at: number): readonly [SourceEvent, SourceEvent] =>
  event.type === 'chunk'
    ? [
        { ...event, bytes: event.bytes.subarray(0, at) },
        { ...event, bytes: event.bytes.subarray(at) },
      ]
    : [event, event];
