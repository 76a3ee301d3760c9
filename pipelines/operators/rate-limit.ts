import { asyncScheduler, defer, type SchedulerLike, type Subscriber, type Subscription } from 'rxjs';
import { type Lending, OWNED } from './lending.ts';
import { operate } from './operate.ts';
import { type FlowOperator, followValve, Gate } from './valve.ts';

interface RateLimit<T> {
  /** The rate of all streams together, in the unit of `size`. */
  readonly perSecond: number;
  /** 0 for a value that passes freely, such as a response head. */
  readonly size: (value: T) => number;
  /** Splits a value. The first part has the given size: at least 1, less than the value's. */
  readonly split: (value: T, size: number) => readonly [first: T, rest: T];
  /** Retains the values that are held. Default: values belong to their receiver. */
  readonly lending?: Lending<T>;
  readonly scheduler?: SchedulerLike;
}

/**
 * Milliseconds' worth of tokens that are handed out at a time. Every stream gets its share this
 * often, however many streams there are.
 */
const TICK = 100;

/** The state that all streams of a limit share. */
interface Bucket<T> extends Required<RateLimit<T>> {
  /** Tokens that arrive in one tick. */
  readonly perTick: number;
  tokens: number;
  /** When tokens were last counted; milliseconds on the scheduler's clock. */
  countedAt: number;
  /** The streams with a value to pass and an open valve, in the order of their turns. */
  readonly waiting: Set<Stream<T>>;
  timer: Subscription | undefined;
  draining: boolean;
}

/** The state of one stream. */
interface Stream<T> {
  readonly out: Subscriber<T>;
  /** The source's valve. */
  readonly inner: Gate;
  /** Values that were on their way when the source was paused. */
  readonly held: T[];
  /** Whether the consumer's valve is open. */
  open: boolean;
  /** Delivers the source's end, once nothing is held. */
  end: (() => void) | undefined;
}

/**
 * Makes a limit that all flows through it share in equal parts.
 *
 * ```
 * source       (abcd)----------e---|
 * result       a---b---c---d---e---|
 * inner valve  (ox)--------o--------
 * (10 a second: a letter each 100 ms; o open, x closed)
 * ```
 *
 * Emits the source's values in order and lossless, split into smaller parts if they arrive too
 * fast. While one of its values waits, the source is paused through the inner valve, so only values
 * already on their way are held. Values of size 0 pass at once. Completes and errors with the
 * source, after the held values. Unsubscribing leaves source and valve at once. No stream is silent
 * for longer than it takes to earn one token per stream, so a stall timeout downstream stays quiet.
 */
export const rateLimit = <T>(options: RateLimit<T>): FlowOperator<T, T> => {
  const bucket = bucketOf(options);
  return (source) => (valve) =>
    defer(() => {
      const inner = new Gate(true);
      const limited = operate<T, T>((out) => {
        const stream: Stream<T> = { out, inner, held: [], open: true, end: undefined };
        out.add(() => {
          stream.open = false;
          leave(bucket, stream);
          for (const value of stream.held.splice(0)) bucket.lending.release(value);
        });
        followValve(valve, out, (state) => move(bucket, stream, state));
        return {
          next: (value) => offer(bucket, stream, value),
          error: (error) => end(stream, () => out.error(error)),
          complete: () => end(stream, () => out.complete()),
        };
      });
      return limited(source)(inner);
    });
};

const bucketOf = <T>({ scheduler = asyncScheduler, lending = OWNED, ...options }: RateLimit<T>): Bucket<T> => {
  const perTick = Math.max(1, (options.perSecond * TICK) / 1000);
  return {
    ...options,
    scheduler,
    lending,
    perTick,
    tokens: perTick,
    countedAt: scheduler.now(),
    waiting: new Set(),
    timer: undefined,
    draining: false,
  };
};

/** Passes a value on if the tokens allow it, otherwise holds it and pauses the source. */
const offer = <T>(bucket: Bucket<T>, stream: Stream<T>, value: T): void => {
  const size = bucket.size(value);
  if (mayPass(bucket, stream, size)) {
    bucket.tokens -= size;
    stream.out.next(value);
  } else {
    bucket.lending.retain(value);
    stream.held.push(value);
    if (stream.inner.value) stream.inner.next(false);
    if (stream.open) enter(bucket, stream);
  }
};

/** Whether a value may pass at once: it is free, or no other value waits and there are enough tokens. */
const mayPass = <T>(bucket: Bucket<T>, { open }: Stream<T>, size: number): boolean => {
  if (size === 0) return true;
  refill(bucket);
  // An open stream that holds a value waits, or has its turn just now.
  return open && bucket.waiting.size === 0 && !bucket.draining && size <= bucket.tokens;
};

/** Follows the consumer's valve. */
const move = <T>(bucket: Bucket<T>, stream: Stream<T>, open: boolean): void => {
  if (open === stream.open) return;
  stream.open = open;
  if (!open) {
    leave(bucket, stream);
    stream.inner.next(false);
  } else if (stream.held.length === 0) stream.inner.next(true);
  else enter(bucket, stream);
};

/** Delivers the end after the held values. */
const end = <T>(stream: Stream<T>, deliver: () => void): void => {
  stream.end = deliver;
  settle(stream);
};

/** If nothing is held, delivers the end or lets the source continue. */
const settle = <T>({ held, end, open, inner }: Stream<T>): void => {
  if (held.length > 0) return;
  if (end) end();
  else if (open) inner.next(true);
};

const enter = <T>(bucket: Bucket<T>, stream: Stream<T>): void => {
  bucket.waiting.add(stream);
  drain(bucket);
};

const leave = <T>(bucket: Bucket<T>, stream: Stream<T>): void => {
  bucket.waiting.delete(stream);
  if (bucket.waiting.size > 0) return;
  bucket.timer?.unsubscribe();
  bucket.timer = undefined;
};

/**
 * Adds the tokens that have arrived. At most two ticks' worth are kept: enough that a late timer
 * costs no speed, too few for a burst after an idle time.
 */
const refill = <T>(bucket: Bucket<T>): void => {
  const now = bucket.scheduler.now();
  const arrived = (Math.max(0, now - bucket.countedAt) * bucket.perSecond) / 1000;
  bucket.tokens = Math.min(2 * bucket.perTick, bucket.tokens + arrived);
  bucket.countedAt = now;
};

/** Hands out the tokens in turn, then waits for more. A consumer may move its valve, or leave. */
const drain = <T>(bucket: Bucket<T>): void => {
  const { waiting } = bucket;
  if (bucket.draining) return;
  bucket.draining = true;
  refill(bucket);
  const share = Math.max(1, Math.floor(bucket.tokens / Math.max(1, waiting.size)));
  for (const stream of waiting) {
    if (bucket.tokens < 1) break;
    waiting.delete(stream);
    bucket.tokens -= pass(bucket, stream, Math.min(share, Math.floor(bucket.tokens)));
    // At the end of the set, so the loop comes to it again after the others.
    if (stream.open && stream.held.length > 0) waiting.add(stream);
  }
  bucket.draining = false;
  if (waiting.size > 0) bucket.timer ??= drainLater(bucket);
};

const drainLater = <T>(bucket: Bucket<T>): Subscription => {
  const missing = bucket.perTick - bucket.tokens;
  return bucket.scheduler.schedule(
    () => {
      bucket.timer = undefined;
      drain(bucket);
    },
    Math.max(1, Math.ceil((missing * 1000) / bucket.perSecond)),
  );
};

/** Passes the first held value, or as much of it as is allowed. Returns the size of it. */
const pass = <T>(bucket: Bucket<T>, stream: Stream<T>, allowed: number): number => {
  const { held, out } = stream;
  // A stream that waits holds something.
  const value = held[0] as T;
  const size = bucket.size(value);
  const [first, rest] = size <= allowed ? [value] : bucket.split(value, allowed);
  if (rest === undefined) held.shift();
  else held[0] = rest;
  out.next(first);
  if (rest === undefined) bucket.lending.release(first);
  settle(stream);
  return Math.min(size, allowed);
};
