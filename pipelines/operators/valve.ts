import { BehaviorSubject, type Observable, of, type Subscriber } from 'rxjs';

/**
 * Whether a consumer wants more: `true` while it does, `false` while it does not. Emits its present
 * state on subscription, as a `BehaviorSubject` does. It counts as open until it emits `false`.
 * Its completion keeps its last state.
 */
export type Valve = Observable<boolean>;

/**
 * A source with back-pressure: an Observable once its consumer has given it a valve. It emits only
 * while the valve is open, except for values already on their way. Nothing happens before the
 * subscription, and each subscription is a source of its own.
 */
export type Flow<T> = (valve: Valve) => Observable<T>;

/** Takes a flow and gives a flow. It hands the valve of its consumer to its source, or one of its own. */
export type FlowOperator<T, R> = (source: Flow<T>) => Flow<R>;

/** The valve of a consumer that always wants more. */
export const OPEN: Valve = of(true);

/** The valve of a sink. Stages follow it without a subscription: see `followValve`. */
export class Gate extends BehaviorSubject<boolean> {
  readonly #followers: Follower[] = [];

  override get observed(): boolean {
    return super.observed || this.#followers.length > 0;
  }

  override next(open: boolean): void {
    super.next(open);
    // A copy: a follower may leave meanwhile, or a new one come, which knows the state already. One
    // may also move the valve again: the others know that state already, too.
    for (const follower of this.#followers.slice()) if (this.value === open) tell(follower, open);
  }

  follow(follower: Follower): () => void {
    this.#followers.push(follower);
    const leave = () => {
      const place = this.#followers.indexOf(follower);
      // Unlike `splice`, this makes no array.
      if (place >= 0) this.#followers.copyWithin(place, place + 1).pop();
    };
    follower.out.add(leave);
    tell(follower, this.value);
    return leave;
  }
}

interface Follower {
  readonly out: Subscriber<unknown>;
  readonly moved: (open: boolean) => void;
}

const tell = ({ out, moved }: Follower, open: boolean): void => {
  if (out.closed) return;
  try {
    moved(open);
  } catch (error) {
    out.error(error);
  }
};

/**
 * Calls `moved` with the present state of a valve, and after each move, as long as `out` is open.
 * The valve's error is that of `out`. Returns a function that leaves the valve earlier.
 */
export const followValve = (valve: Valve, out: Subscriber<unknown>, moved: (open: boolean) => void): (() => void) => {
  if (valve instanceof Gate) return valve.follow({ out, moved });
  if (valve === OPEN) {
    tell({ out, moved }, true);
    return () => {};
  }
  const following = valve.subscribe({ next: moved, error: (error) => out.error(error) });
  out.add(following);
  return () => following.unsubscribe();
};
