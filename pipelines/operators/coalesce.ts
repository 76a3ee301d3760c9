import { BehaviorSubject, Observable, Subject, type Subscriber, Subscription, takeUntil } from 'rxjs';
import type { Valve } from './flow.ts';

interface CoalesceOptions<T> {
  /** What a value weighs, such as its bytes; what weighs nothing is delivered whatever a consumer's valve says. */
  readonly size: (value: T) => number;
  /** The weight that is kept of what all consumers of a source have, for those who come late. */
  readonly lateJoinWindow: number;
  /** The weight that is kept of one source at most, for those who are slow. */
  readonly window: number;
  /** The weight that is kept of all sources together. */
  readonly memory: number;
}

/** One consumer, and the source that it may share. */
interface Join<T> {
  /** Sources of one key are the same source. */
  readonly key: string;
  /** The consumer's own. It counts as open until it says otherwise; its error is the consumer's. */
  readonly valve: Valve;
  /**
   * The source, with the valve of all who share it, and whether just now there are others or may still come: only then can anybody fall
   * behind. Subscribed to for the first of them alone.
   */
  readonly source: (valve: Valve, mayFallBehind: () => boolean) => Observable<T>;
  /** What a consumer goes on with who has fallen behind. */
  readonly fallback: () => Observable<T>;
  /** What those get first who find the source running. */
  readonly onJoin: T;
}

interface Consumer<T> {
  readonly out: Subscriber<T>;
  readonly fallback: () => Observable<T>;
  readonly ties: Subscription;
  /** Values taken so far. */
  at: number;
  open: boolean;
  busy: boolean;
}

/**
 * Has many consumers share one source, each at its own speed, while none holds another back and little is kept.
 *
 * ```
 * source        --a-b----c-d-e-|
 * slow’s own               -b-c-d-e-|
 * slow’s valve  o--x-----------------
 * quick         --a-b----c-d-e-|
 * late              (Jab)c-d-e-|
 * slow          J-a---------b-c-d-e-|
 * (a window of 2; J for each that joins; o open, x closed)
 * ```
 *
 * Emits what the source emits, from its first value on and while the consumer's valve is open. The source runs while one of its consumers
 * wants more. Of what it emitted no more than a window is kept; a consumer that has not taken what has to go leaves the source for `fallback`.
 * Who comes when the first value is gone gets a new source, which the next ones then share.
 * Completes and errors with the source, once the consumer has taken all before. Unsubscribing leaves the source to the others, the last one
 * unsubscribes from it.
 */
export const coalesce = <T>({
  size,
  lateJoinWindow,
  window,
  memory,
}: CoalesceOptions<T>): ((join: Join<T>) => Observable<T>) => {
  const running = new Map<string, Shared<T>>();
  let held = 0;

  const open = (key: string): Shared<T> => {
    const consumers = new Set<Consumer<T>>();
    const valve = new BehaviorSubject(true);
    const left = new Subject<void>();
    const kept: T[] = [];
    let dropped = 0;
    let weight = 0;
    let end: ((out: Subscriber<T>) => void) | undefined;

    const weigh = (change: number) => {
      weight += change;
      held += change;
    };

    /** Nobody can begin with it any more. */
    const close = () => {
      if (running.get(key) === shared) running.delete(key);
    };

    const drop = (count: number) => {
      if (count > 0) close();
      for (const value of kept.splice(0, count)) weigh(-size(value));
      dropped += count;
    };

    const letRun = () => {
      const wanted = [...consumers].some((consumer) => consumer.open);
      if (wanted !== valve.value) valve.next(wanted);
    };

    const leave = (consumer: Consumer<T>) => {
      consumer.ties.unsubscribe();
      if (!consumers.delete(consumer)) return;
      if (consumers.size > 0) return letRun();
      drop(kept.length);
      close();
      left.next();
    };

    const goOnAlone = ({ out, fallback }: Consumer<T>) => {
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
        if (!out.closed) goOnAlone(consumer);
      } else if (end && consumer.at === dropped + kept.length) {
        leave(consumer);
        end(out);
      }
    };

    /**
     * Lets go what everybody has and nobody can come for any more, and what there is no room for; never what nobody has yet: who is first,
     * or alone, does not fall behind, since the source waits.
     */
    const tidy = () => {
      const taken = [...consumers].map(({ at }) => at - dropped);
      const [by, most] = [Math.min(...taken), Math.max(...taken)];
      const weightOf = (values: readonly T[]) => values.reduce((sum, value) => sum + size(value), 0);
      let count = running.get(key) === shared && weightOf(kept.slice(0, by)) <= lateJoinWindow ? 0 : by;
      let rest = weightOf(kept.slice(count));
      for (; count < most && (rest > window || held - weight + rest > memory); count++) rest -= size(kept[count] as T);
      drop(count);
      for (const consumer of consumers) {
        if (consumer.at >= dropped) continue;
        leave(consumer);
        if (!consumer.busy) goOnAlone(consumer);
      }
    };

    const finish = (tell: (out: Subscriber<T>) => void) => {
      end = tell;
      close();
      for (const consumer of consumers) deliver(consumer);
    };

    const shared: Shared<T> = {
      add: (out, own, fallback) => {
        const consumer: Consumer<T> = { out, fallback, ties: new Subscription(), at: 0, open: true, busy: false };
        consumers.add(consumer);
        out.add(() => leave(consumer));
        consumer.ties.add(
          own.subscribe({
            next: (wanted) => {
              consumer.open = wanted;
              if (wanted) deliver(consumer);
              if (consumers.has(consumer)) letRun();
            },
            error: (error) => out.error(error),
          }),
        );
        deliver(consumer);
      },
      run: (source) => {
        source(valve, () => consumers.size > 1 || running.get(key) === shared)
          .pipe(takeUntil(left))
          .subscribe({
            next: (value) => {
              kept.push(value);
              weigh(size(value));
              for (const consumer of consumers) deliver(consumer);
              tidy();
            },
            error: (error) => finish((out) => out.error(error)),
            complete: () => finish((out) => out.complete()),
          });
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
