import { Observable } from 'rxjs';
import type { StreamEvent } from '../../../pipelines/model/index.ts';
import { type Asked, type Running, Tap, type Taps } from './tap.ts';

/** Called while somebody looks: must be quick and must not throw. */
export interface Watcher {
  /** `late`: bytes may have come before somebody looked. */
  began(running: Running, late?: boolean): void;
  ended(running: Running): void;
}

export interface Traffic extends SeenTraffic {
  /** The same events. Each subscription is a running request until its end. */
  watched(asked: Asked, events: Observable<StreamEvent>): Observable<StreamEvent>;
}

/** The running requests, as viewers see them. */
export interface SeenTraffic {
  /** Those that run, the oldest first: at most `limit`. */
  readonly running: Iterable<Running> & { readonly size: number };
  /** Requests that run without being in it. */
  readonly beyond: number;
  /** Requests that run, and those of them whose client takes nothing. */
  count(): { readonly streams: number; readonly paused: number };
  /** Body bytes of all requests since the start. */
  readonly bytes: number;
  /**
   * Since the start: bodies that another connection continued, those whose head came after a failed
   * attempt, and those that ended early.
   */
  readonly resumed: number;
  readonly replaced: number;
  readonly cut: number;
  /** From now on pauses are measured, and the watcher is called. Returns the end of that. */
  watch(watcher: Watcher): () => void;
}

/** Taps in the order of their arrival. They are linked themselves, so that a request makes nothing for its place. */
class TapList {
  size = 0;
  #first: Tap | undefined;
  #last: Tap | undefined;

  add(tap: Tap): void {
    tap.before = this.#last;
    if (this.#last) this.#last.after = tap;
    else this.#first = tap;
    this.#last = tap;
    this.size += 1;
  }

  delete(tap: Tap): boolean {
    const { before, after } = tap;
    if (!before && this.#first !== tap) return false;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    // An old one that is garbage would keep younger ones from being collected.
    tap.before = undefined;
    tap.after = undefined;
    this.size -= 1;
    return true;
  }

  /** None may come or go meanwhile. */
  *[Symbol.iterator](): Generator<Tap> {
    for (let tap = this.#first; tap; tap = tap.after) yield tap;
  }
}

/** Running requests that are remembered; of more, only the number. */
const LIMIT = 10_000;
/**
 * The registry of running requests. While nobody looks, a request costs one subscription and its
 * notes, and a chunk two additions.
 */
export const createTraffic = (now: () => number, limit = LIMIT): Traffic => new Registry(now, limit);

class Registry implements Traffic, Taps {
  readonly running = new TapList();
  readonly now: () => number;
  readonly #limit: number;
  beyond = 0;
  bytes = 0;
  resumed = 0;
  replaced = 0;
  cut = 0;
  #watcher: Watcher | undefined;

  constructor(now: () => number, limit: number) {
    this.now = now;
    this.#limit = limit;
  }

  get isWatched(): boolean {
    return this.#watcher !== undefined;
  }

  watched(asked: Asked, events: Observable<StreamEvent>): Observable<StreamEvent> {
    return new Observable((out) => {
      // It would be left before it is made.
      if (out.closed) return;
      const tap = new Tap(out, asked, this);
      this.#enter(tap);
      events.subscribe(tap);
    });
  }

  count() {
    let paused = 0;
    for (const running of this.running) if (running.paused) paused += 1;
    return { streams: this.running.size + this.beyond, paused };
  }

  watch(watcher: Watcher): () => void {
    this.#watcher = watcher;
    for (const tap of [...this.running]) tap.follow();
    return () => {
      this.#watcher = undefined;
      for (const tap of this.running) tap.unfollow();
    };
  }

  #enter(tap: Tap): void {
    if (this.running.size >= this.#limit) {
      this.beyond += 1;
      return;
    }
    this.running.add(tap);
    if (!this.#watcher) return;
    tap.follow();
    this.#watcher.began(tap);
  }

  left(tap: Tap): void {
    if (this.running.delete(tap)) this.#watcher?.ended(tap);
    else this.beyond -= 1;
  }
}
