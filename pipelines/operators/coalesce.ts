import { Observable, Subscriber } from 'rxjs';
import { followValve, Gate, type Valve } from './flow.ts';
import { type Lending, OWNED } from './lending.ts';

interface CoalesceOptions<T> {
  /** The weight of a value, such as its bytes. A value of weight 0 passes a closed valve. */
  readonly size: (value: T) => number;
  /**
   * The maximum weight kept for late consumers, of values that all present consumers have taken.
   */
  readonly lateJoinWindow: number;
  /** The maximum weight kept of one source, for slow consumers. */
  readonly window: number;
  /** The maximum weight kept of all sources together. */
  readonly memory: number;
  /** Retains the values that are kept. Default: values belong to their receiver. */
  readonly lending?: Lending<T>;
}

/** One consumer, and the source that it may share. */
interface Join<T> {
  /** Identifies the source: joins with the same key share one. */
  readonly key: string;
  /**
   * The consumer's valve. It counts as open until it emits `false`. Its error is the consumer's.
   */
  readonly valve: Valve;
  /**
   * Opens the source; called for its first consumer only. `valve` is open while any consumer's
   * valve is. `mayFallBehind` is true while the source has several consumers or still admits
   * others. A single consumer cannot fall behind.
   */
  readonly source: (valve: Valve, mayFallBehind: () => boolean) => Observable<T>;
  /** Replaces the source for a consumer that has fallen behind. */
  readonly fallback: () => Observable<T>;
  /** Emitted first to a consumer that joins a running source. */
  readonly onJoin: T;
}

interface Consumer<T> {
  readonly out: Subscriber<T>;
  readonly fallback: () => Observable<T>;
  leaveValve?: () => void;
  /** Values taken so far. */
  at: number;
  open: boolean;
  busy: boolean;
}

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
 * share that one. Completes and errors with the source, after the consumer has taken all earlier
 * values. Unsubscribing leaves the source to the other consumers. The last one unsubscribes from
 * the source.
 */
export const coalesce = <T>({
  size,
  lateJoinWindow,
  window,
  memory,
  lending = OWNED,
}: CoalesceOptions<T>): ((join: Join<T>) => Observable<T>) => {
  const running = new Map<string, Shared<T>>();
  let held = 0;

  const open = (key: string): Shared<T> => {
    const consumers = new Set<Consumer<T>>();
    const valve = new Gate(true);
    const kept: T[] = [];
    let dropped = 0;
    let weight = 0;
    let end: ((out: Subscriber<T>) => void) | undefined;

    const weigh = (change: number) => {
      weight += change;
      held += change;
    };

    /** Admits no further consumer: the next one gets a new source. */
    const close = () => {
      if (running.get(key) === shared) running.delete(key);
    };

    const drop = (count: number) => {
      if (count > 0) close();
      for (const value of kept.splice(0, count)) {
        weigh(-size(value));
        lending.release(value);
      }
      dropped += count;
    };

    const letRun = () => {
      let wanted = false;
      for (const { open } of consumers) wanted ||= open;
      if (wanted !== valve.value) valve.next(wanted);
    };

    const leave = (consumer: Consumer<T>) => {
      consumer.leaveValve?.();
      if (!consumers.delete(consumer)) return;
      if (consumers.size > 0) return letRun();
      drop(kept.length);
      close();
      intake.unsubscribe();
    };

    const fallBack = ({ out, fallback }: Consumer<T>) => {
      fallback().subscribe(out);
    };

    const deliver = (consumer: Consumer<T>) => {
      const { out } = consumer;
      if (consumer.busy) return;
      consumer.busy = true;
      while (consumers.has(consumer) && consumer.at < dropped + kept.length) {
        const value = kept[consumer.at - dropped] as T;
        if (!consumer.open && size(value) > 0) break;
        consumer.at += 1;
        out.next(value);
      }
      consumer.busy = false;
      if (!consumers.has(consumer)) {
        // It fell behind while it was busy with an earlier value.
        if (!out.closed) fallBack(consumer);
      } else if (end && consumer.at === dropped + kept.length) {
        leave(consumer);
        end(out);
      }
    };

    /**
     * Drops the values that every consumer has taken and no later consumer can need. Then drops
     * values that exceed a limit. Keeps values that no consumer has taken yet: the foremost
     * consumer never falls behind, since the source waits for it.
     */
    const tidy = () => {
      // The usual case: everything may be kept.
      const admits = running.get(key) === shared;
      if (admits && weight <= Math.min(lateJoinWindow, window) && held <= memory) return;
      const taken = [...consumers].map(({ at }) => at - dropped);
      const [by, most] = [Math.min(...taken), Math.max(...taken)];
      const weightOf = (values: readonly T[]) => values.reduce((sum, value) => sum + size(value), 0);
      let count = admits && weightOf(kept.slice(0, by)) <= lateJoinWindow ? 0 : by;
      let rest = weightOf(kept.slice(count));
      for (; count < most && (rest > window || held - weight + rest > memory); count++) rest -= size(kept[count] as T);
      drop(count);
      for (const consumer of consumers) {
        if (consumer.at >= dropped) continue;
        leave(consumer);
        if (!consumer.busy) fallBack(consumer);
      }
    };

    const finish = (endOf: (out: Subscriber<T>) => void) => {
      end = endOf;
      close();
      for (const consumer of consumers) deliver(consumer);
    };

    const intake = new Subscriber<T>({
      next: (value) => {
        lending.retain(value);
        kept.push(value);
        weigh(size(value));
        for (const consumer of consumers) deliver(consumer);
        tidy();
      },
      error: (error: unknown) => finish((out) => out.error(error)),
      complete: () => finish((out) => out.complete()),
    });

    const shared: Shared<T> = {
      add: (out, own, fallback) => {
        const consumer: Consumer<T> = { out, fallback, at: 0, open: true, busy: false };
        consumers.add(consumer);
        out.add(() => leave(consumer));
        consumer.leaveValve = followValve(own, out, (wanted) => {
          if (!consumers.has(consumer)) return;
          consumer.open = wanted;
          if (wanted) deliver(consumer);
          if (consumers.has(consumer)) letRun();
        });
        if (!consumers.has(consumer)) consumer.leaveValve();
        deliver(consumer);
      },
      run: (source) => {
        source(valve, () => consumers.size > 1 || running.get(key) === shared).subscribe(intake);
      },
    };
    return shared;
  };

  return ({ key, valve, source, fallback, onJoin }) =>
    new Observable<T>((out) => {
      const found = running.get(key);
      const shared = found ?? open(key);
      running.set(key, shared);
      if (found) out.next(onJoin);
      shared.add(out, valve, fallback);
      if (!found) shared.run(source);
    });
};

interface Shared<T> {
  add(out: Subscriber<T>, valve: Valve, fallback: () => Observable<T>): void;
  run(source: Join<T>['source']): void;
}
