import { asyncScheduler, BehaviorSubject, defer, type Observable, type SchedulerLike, type Subscription } from 'rxjs';
import type { Flow, Valve } from './flow.ts';
import { operate } from './operate.ts';

interface RateLimit<T> {
  /** What may pass in a second, in the unit of `size`, all streams together. */
  readonly perSecond: number;
  /** 0 for what passes freely, such as a response head. */
  readonly size: (value: T) => number;
  /** Parts a value in two, the first of which has the given size: at least 1, and less than the value's. */
  readonly split: (value: T, size: number) => readonly [first: T, rest: T];
  readonly scheduler?: SchedulerLike;
}

/** Opens a source with a valve that it obeys; the outer valve is the consumer's. */
type Limit<T> = (valve: Valve, open: Flow<T>) => Observable<T>;

/** A stream with something to pass and a consumer that wants it. */
interface Waiting {
  /** Passes as much as it may and has; returns the size of it. */
  pass(most: number): number;
  /** Whether it has more. */
  readonly waits: boolean;
}

/** Milliseconds' worth of tokens that are handed out at a time: every stream comes to its share this often, however many there are. */
const TICK = 100;

/**
 * Makes a limit that all streams opened through it share in equal parts.
 *
 * ```
 * source       (abcd)----------e---|
 * result       a---b---c---d---e---|
 * inner valve  (ox)--------o--------
 * (10 a second: a letter each 100 ms; o open, x closed)
 * ```
 *
 * Emits what the source emits, in order and lossless, in smaller parts where they come too fast; the source is paused through the valve
 * that it is handed while one of its values waits, so that nothing is held but what was on its way. What has size 0 passes
 * at once. Completes and errors with the source, after what waits. Unsubscribing leaves source and valve at once.
 * No stream is silent for longer than it takes to earn one token a stream: a stall timeout downstream stays quiet.
 */
export const rateLimit = <T>({ perSecond, size, split, scheduler = asyncScheduler }: RateLimit<T>): Limit<T> => {
  const waiting = new Set<Waiting>();
  const tick = Math.max(1, (perSecond * TICK) / 1000);
  // Two ticks' worth, so that a late timer costs no speed, and an idle limit saves up no burst worth the name.
  const most = 2 * tick;
  let tokens = tick;
  let countedAt = scheduler.now();
  let timer: Subscription | undefined;
  let draining = false;

  const count = () => {
    const now = scheduler.now();
    tokens = Math.min(most, tokens + (Math.max(0, now - countedAt) * perSecond) / 1000);
    countedAt = now;
  };

  /** Hands out what there is, in turn, then waits for more. */
  const drain = () => {
    if (draining) return;
    draining = true;
    count();
    const share = Math.max(1, Math.floor(tokens / Math.max(1, waiting.size)));
    while (tokens >= 1 && waiting.size > 0) {
      const [stream] = waiting;
      if (!stream) break;
      waiting.delete(stream);
      tokens -= stream.pass(Math.min(share, Math.floor(tokens)));
      if (stream.waits) waiting.add(stream);
    }
    draining = false;
    if (waiting.size === 0 || timer) return;
    timer = scheduler.schedule(
      () => {
        timer = undefined;
        drain();
      },
      Math.max(1, Math.ceil(((tick - tokens) * 1000) / perSecond)),
    );
  };

  const leave = (stream: Waiting) => {
    waiting.delete(stream);
    if (waiting.size > 0) return;
    timer?.unsubscribe();
    timer = undefined;
  };

  return (valve, open) =>
    defer(() => {
      const flow = new BehaviorSubject(true);
      return open(flow).pipe(
        operate<T, T>((subscriber) => {
          const held: T[] = [];
          let wanted = true;
          let end: (() => void) | undefined;

          const stream: Waiting = {
            get waits() {
              return wanted && held.length > 0;
            },
            pass: (allowed) => {
              const [value] = held;
              if (value === undefined) return 0;
              const needed = size(value);
              const [first, rest] = needed <= allowed ? [value] : split(value, allowed);
              if (rest === undefined) held.shift();
              else held[0] = rest;
              subscriber.next(first);
              settle();
              return Math.min(needed, allowed);
            },
          };

          /** Once nothing is held, the source flows on, or its end is told. */
          const settle = () => {
            if (held.length > 0) return;
            if (end) end();
            else if (wanted) flow.next(true);
          };

          const endWith = (tell: () => void) => {
            end = tell;
            settle();
          };

          subscriber.add(() => {
            wanted = false;
            leave(stream);
          });
          subscriber.add(
            valve.subscribe({
              next: (state) => {
                if (state === wanted) return;
                wanted = state;
                if (!wanted) {
                  leave(stream);
                  flow.next(false);
                } else if (held.length === 0) flow.next(true);
                else {
                  waiting.add(stream);
                  drain();
                }
              },
              error: (error) => subscriber.error(error),
            }),
          );

          return {
            next: (value) => {
              const needed = size(value);
              if (needed === 0) return subscriber.next(value);
              count();
              if (wanted && needed <= tokens && waiting.size === 0 && held.length === 0 && !draining) {
                tokens -= needed;
                return subscriber.next(value);
              }
              held.push(value);
              if (flow.value) flow.next(false);
              if (!wanted) return;
              waiting.add(stream);
              drain();
            },
            error: (error) => endWith(() => subscriber.error(error)),
            complete: () => endWith(() => subscriber.complete()),
          };
        }),
      );
    });
};
