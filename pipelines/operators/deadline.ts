import type { SchedulerLike, Subscriber, Subscription } from 'rxjs';

/**
 * A time by which something must have happened, for one subscription. All deadlines of a scheduler
 * share one timer, so a deadline that is moved or met in time costs no timer of its own.
 */
export interface Deadline {
  /** Milliseconds on the scheduler's clock, or `Infinity`: never. */
  readonly at: number;
  /** Moves it. A later time costs one assignment. */
  moveTo(at: number): void;
  /** Forgets it. */
  unsubscribe(): void;
}

/**
 * Calls `late` once `at` has passed, and again after it was moved on. Ends with `out`. An exception
 * of `late` is an error of `out`.
 */
export const deadline = (
  out: Subscriber<unknown>,
  scheduler: SchedulerLike,
  at: number,
  late: (deadline: Deadline) => void,
): Deadline => {
  const made = new Due(agendaOf(scheduler), out, at, late);
  out.add(made);
  return made;
};

class Due implements Deadline {
  at: number;
  /** When to look at it: never later than `at`. It is earlier if `at` was moved on since. */
  look: number;
  /** Its place in the agenda; -1 if it has none. */
  place = -1;
  readonly #agenda: Agenda;
  readonly #out: Subscriber<unknown>;
  readonly #late: (deadline: Deadline) => void;

  constructor(agenda: Agenda, out: Subscriber<unknown>, at: number, late: (deadline: Deadline) => void) {
    this.#agenda = agenda;
    this.#out = out;
    this.#late = late;
    this.at = this.look = at;
    agenda.enter(this);
  }

  moveTo(at: number): void {
    this.at = at;
    if (this.place < 0 || at < this.look) this.#agenda.enter(this);
  }

  /** Also the teardown of `out`. */
  unsubscribe(): void {
    this.#agenda.leave(this);
  }

  pass(): void {
    try {
      this.#late(this);
    } catch (error) {
      this.#out.error(error);
    }
  }
}

/** The deadlines of one scheduler: a binary heap, the soonest first, and one timer for that one. */
class Agenda {
  readonly #scheduler: SchedulerLike;
  readonly #heap: Due[] = [];
  #timer: Subscription | undefined;
  /** When the timer fires. It may be too early: its deadline may have left. */
  #wakes = Number.POSITIVE_INFINITY;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Adds a deadline, or moves it forward. */
  enter(one: Due): void {
    one.look = one.at;
    if (one.place < 0) one.place = this.#heap.push(one) - 1;
    this.#rise(one);
    if (one.look < this.#wakes) this.#wait();
  }

  leave(one: Due): void {
    const { place } = one;
    if (place < 0) return;
    one.place = -1;
    const last = this.#heap.pop();
    if (last && last !== one) {
      this.#put(last, place);
      this.#rise(last);
      this.#sink(last);
    }
    if (this.#soonest === Number.POSITIVE_INFINITY) this.#wait();
  }

  /** When to look at the first one. */
  get #soonest(): number {
    return this.#heap[0]?.look ?? Number.POSITIVE_INFINITY;
  }

  /** Sets the timer for the soonest deadline. There is none if nothing will ever be due. */
  #wait(): void {
    this.#timer?.unsubscribe();
    this.#timer = undefined;
    this.#wakes = this.#soonest;
    if (this.#wakes < Number.POSITIVE_INFINITY)
      this.#timer = this.#scheduler.schedule(this.#wake, Math.max(0, this.#wakes - this.#scheduler.now()));
  }

  readonly #wake = (): void => {
    const now = this.#scheduler.now();
    // Set while it works: what is entered meanwhile sets no timer.
    this.#wakes = Number.NEGATIVE_INFINITY;
    for (let first = this.#heap[0]; first && first.look <= now; first = this.#heap[0]) {
      if (first.at <= now) {
        this.leave(first);
        first.pass();
      } else {
        first.look = first.at;
        this.#sink(first);
      }
    }
    this.#wait();
  };

  #put(one: Due, place: number): void {
    this.#heap[place] = one;
    one.place = place;
  }

  #rise(one: Due): void {
    for (;;) {
      const above = this.#heap[(one.place - 1) >> 1];
      if (one.place === 0 || !above || above.look <= one.look) return;
      const { place } = one;
      this.#put(one, above.place);
      this.#put(above, place);
    }
  }

  #sink(one: Due): void {
    for (;;) {
      const left = this.#heap[2 * one.place + 1];
      const right = this.#heap[2 * one.place + 2];
      const below = left && right && right.look < left.look ? right : left;
      if (!below || below.look >= one.look) return;
      const { place } = one;
      this.#put(one, below.place);
      this.#put(below, place);
    }
  }
}

const agendas = new WeakMap<SchedulerLike, Agenda>();

const agendaOf = (scheduler: SchedulerLike): Agenda => {
  const known = agendas.get(scheduler);
  if (known) return known;
  const made = new Agenda(scheduler);
  agendas.set(scheduler, made);
  return made;
};
