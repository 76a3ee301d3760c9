import type { Unsubscribable } from 'rxjs';
import type { Progress, StreamRequest } from '../../../pipelines/model/index.ts';
import type { Running } from './running.ts';

/** Called while somebody looks: must be quick and must not throw. */
export interface Watcher {
  /** `late`: bytes may have come before somebody looked. */
  began(running: Running, late?: boolean): void;
  ended(running: Running): void;
}

/** What a request is known by. */
export type Asked = Pick<StreamRequest, 'id' | 'path' | 'client'>;

export interface Traffic extends SeenTraffic {
  /** A request begins. It runs until what is returned is unsubscribed from. */
  enter(asked: Asked, progress: Progress): Unsubscribable;
}

/** The running requests, as viewers see them. */
export interface SeenTraffic {
  /** Those that run, the oldest first: at most `limit`. */
  readonly running: Iterable<Running> & { readonly size: number };
  /** Requests that run without being in it. Their sums count once they have ended. */
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
  /** From now on the watcher is called. Returns the end of that. */
  watch(watcher: Watcher): () => void;
}

/** A request in the list of those that run: there is one for each, and hardly ever somebody who looks. */
class Entered implements Running {
  readonly began: number;
  readonly progress: Progress;
  /** Its neighbours. */
  before: Entered | undefined;
  after: Entered | undefined;
  readonly #asked: Asked;
  readonly #registry: Registry;
  #ended: number | undefined;

  constructor(asked: Asked, progress: Progress, registry: Registry) {
    this.began = registry.now();
    this.progress = progress;
    this.#asked = asked;
    this.#registry = registry;
  }

  get id(): string {
    return this.#asked.id;
  }

  get path(): string {
    return this.#asked.path;
  }

  get client(): string {
    return this.#asked.client ?? '';
  }

  get notes(): Running['notes'] {
    return this.progress.notes;
  }

  get sent(): number {
    return this.progress.bytes;
  }

  get paused(): boolean {
    return this.progress.paused;
  }

  pausedFor(): number {
    return this.progress.pausedFor();
  }

  get copy(): Running['copy'] {
    return this.progress.head?.copy;
  }

  get spill(): Running['spill'] {
    return this.progress.spill;
  }

  get end(): Running['end'] {
    const { report } = this.progress;
    const at = this.#ended;
    return report && at !== undefined ? { at, outcome: report.outcome, code: report.error?.code } : undefined;
  }

  unsubscribe(): void {
    this.#ended = this.#registry.now();
    this.#registry.left(this);
  }
}

/** Requests in the order of their arrival. They are linked themselves, so that one makes nothing for its place. */
class EnteredList {
  size = 0;
  #first: Entered | undefined;
  #last: Entered | undefined;

  add(one: Entered): void {
    one.before = this.#last;
    if (this.#last) this.#last.after = one;
    else this.#first = one;
    this.#last = one;
    this.size += 1;
  }

  delete(one: Entered): boolean {
    const { before, after } = one;
    if (!before && this.#first !== one) return false;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    // An old one that is garbage would keep younger ones from being collected.
    one.before = undefined;
    one.after = undefined;
    this.size -= 1;
    return true;
  }

  /** None may come or go meanwhile. */
  *[Symbol.iterator](): Generator<Entered> {
    for (let one = this.#first; one; one = one.after) yield one;
  }
}

/** Running requests that are remembered; of more, only the number. */
const LIMIT = 10_000;

/** The registry of running requests. While nobody looks, a request costs its place in a list. */
export const createTraffic = (now: () => number, limit = LIMIT): Traffic => new Registry(now, limit);

class Registry implements Traffic {
  readonly running = new EnteredList();
  readonly now: () => number;
  readonly #limit: number;
  /** Of requests that are over. */
  readonly #past = { bytes: 0, resumed: 0, replaced: 0, cut: 0 };
  beyond = 0;
  #watcher: Watcher | undefined;

  constructor(now: () => number, limit: number) {
    this.now = now;
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#past.bytes + this.#sum(({ bytes }) => bytes);
  }

  get resumed(): number {
    return this.#past.resumed + this.#sum(({ resumes }) => resumes);
  }

  get replaced(): number {
    return this.#past.replaced + this.#sum(({ replaced }) => Number(replaced));
  }

  get cut(): number {
    return this.#past.cut;
  }

  enter(asked: Asked, progress: Progress): Entered {
    const one = new Entered(asked, progress, this);
    if (this.running.size >= this.#limit) this.beyond += 1;
    else {
      this.running.add(one);
      this.#watcher?.began(one);
    }
    return one;
  }

  left(one: Entered): void {
    const { bytes, resumes, replaced, head, report } = one.progress;
    const past = this.#past;
    past.bytes += bytes;
    past.resumed += resumes;
    if (replaced) past.replaced += 1;
    if (head && report?.outcome === 'failed') past.cut += 1;
    if (this.running.delete(one)) this.#watcher?.ended(one);
    else this.beyond -= 1;
  }

  count() {
    let paused = 0;
    for (const running of this.running) if (running.paused) paused += 1;
    return { streams: this.running.size + this.beyond, paused };
  }

  watch(watcher: Watcher): () => void {
    this.#watcher = watcher;
    return () => {
      this.#watcher = undefined;
    };
  }

  #sum(part: (progress: Progress) => number): number {
    let sum = 0;
    for (const { progress } of this.running) sum += part(progress);
    return sum;
  }
}
