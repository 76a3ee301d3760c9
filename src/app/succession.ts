import { BehaviorSubject, defer, finalize, type Observable, Subject } from 'rxjs';
import { renewable } from './renewable.ts';

interface Closing {
  close(): unknown;
}

/** A service that follows a part of the settings. What began with one ends with it. */
export interface Succession<T extends Closing> {
  readonly current: T;
  /** Emits the one in use, and each that takes its place. Completes at `close`. */
  readonly each: Observable<T>;
  /** Emits when one was closed that another has replaced. Completes at `close`. */
  readonly left: Observable<void>;
  /** Runs work with the one that is in use when it is subscribed. */
  use<R>(work: (one: T) => Observable<R>): Observable<R>;
  /**
   * Makes another one if the part of the settings has changed. The former is closed once its work is
   * over, or after `patience`: work that waits for a service that is gone must not wait for ever.
   */
  renew(): void;
  /** Closes all. */
  close(): Promise<void>;
}

/** Milliseconds for which a service stays that another one has replaced. */
const PATIENCE = 10_000;

/** Makes the services, the first one at once. `part` is compared by content. */
export const succession = <P, T extends Closing>(
  part: () => P,
  make: (part: P) => T,
  patience = PATIENCE,
): Succession<T> => {
  const services = renewable(part, make);
  const each = new BehaviorSubject(services.value);
  const left = new Subject<void>();
  /** Work under way, by its service; a service that was closed is absent. */
  const working = new Map<T, number>([[services.value, 0]]);

  const end = async (one: T): Promise<void> => {
    if (!working.delete(one)) return;
    await one.close();
    left.next();
  };
  const count = (one: T, change: number): void => {
    const before = working.get(one);
    if (before === undefined) return;
    working.set(one, before + change);
    if (before + change === 0 && one !== services.value) void end(one);
  };

  return {
    get current() {
      return services.value;
    },
    each: each.asObservable(),
    left: left.asObservable(),
    use: (work) =>
      defer(() => {
        const one = services.value;
        count(one, 1);
        return work(one).pipe(finalize(() => count(one, -1)));
      }),
    renew: () => {
      const former = services.renew();
      if (!former) return;
      working.set(services.value, 0);
      each.next(services.value);
      if (working.get(former) === 0) void end(former);
      else setTimeout(() => void end(former), patience).unref();
    },
    close: async () => {
      each.complete();
      await Promise.all([...working.keys()].map(end));
      left.complete();
    },
  };
};
