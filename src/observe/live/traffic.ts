import { Observable, Subscriber } from 'rxjs';
import type { Head, Note, StreamEvent } from '../../../pipelines/model/index.ts';
import { toStreamError } from '../../../pipelines/model/index.ts';
import { followValve, Gate, type Valve } from '../../../pipelines/operators/flow.ts';

/** An event other than a chunk, when it came, and the bytes that came before it. */
export interface Noted {
  readonly at: number;
  readonly sent: number;
  readonly event: Head | Note;
}

/** One request that runs, or has just ended. */
export interface Running {
  readonly id: string;
  readonly path: string;
  readonly client: string;
  readonly began: number;
  readonly notes: readonly Noted[];
  /** Body bytes so far. */
  readonly sent: number;
  /** Whether its client takes nothing at present. */
  readonly paused: boolean;
  /** Milliseconds of its pauses, since it is watched. */
  pausedFor(now: number): number;
  readonly end?: { readonly at: number; readonly outcome: 'complete' | 'failed' | 'left'; readonly code?: string };
}

/** What a request is known by, before it runs. */
export interface Asked {
  readonly id: string;
  readonly path: string;
  readonly client?: string;
  readonly valve: Valve;
}

/** Called while somebody looks: must be quick and must not throw. */
export interface Watcher {
  began(running: Running): void;
  ended(running: Running): void;
}

export interface Traffic {
  /** The same events. Each subscription is a running request until its end. */
  watched(asked: Asked, events: Observable<StreamEvent>): Observable<StreamEvent>;
  /** Those that run, the oldest first: at most `limit`. */
  readonly running: ReadonlySet<Running>;
  /** Requests that run without being in it. */
  readonly beyond: number;
  /** Body bytes of all requests since the start. */
  readonly bytes: number;
  /** Bodies that another connection continued, and those that ended early, since the start. */
  readonly resumed: number;
  readonly cut: number;
  /** From now on pauses are measured, and the watcher is called. Returns the end of that. */
  watch(watcher: Watcher): () => void;
}

/** Running requests that are remembered; of more, only the number. */
const LIMIT = 10_000;
/** Notes of one request that are remembered. */
const NOTES = 200;

/**
 * The registry of running requests. While nobody looks, a request costs one subscription and its
 * notes, and a chunk two additions.
 */
export const createTraffic = (now: () => number, limit = LIMIT): Traffic => new Registry(now, limit);

class Registry implements Traffic {
  readonly running = new Set<Tap>();
  readonly now: () => number;
  readonly #limit: number;
  beyond = 0;
  bytes = 0;
  resumed = 0;
  cut = 0;
  watcher: Watcher | undefined;

  constructor(now: () => number, limit: number) {
    this.now = now;
    this.#limit = limit;
  }

  watched(asked: Asked, events: Observable<StreamEvent>): Observable<StreamEvent> {
    return new Observable((out) => {
      const tap = new Tap(out, asked, this);
      this.#enter(tap);
      events.subscribe(tap);
    });
  }

  watch(watcher: Watcher): () => void {
    this.watcher = watcher;
    for (const tap of this.running) tap.follow();
    return () => {
      this.watcher = undefined;
      for (const tap of this.running) tap.unfollow();
    };
  }

  #enter(tap: Tap): void {
    const counted = this.running.size >= this.#limit;
    if (counted) this.beyond += 1;
    else this.running.add(tap);
    tap.add(() => {
      if (counted) this.beyond -= 1;
      else this.running.delete(tap);
      tap.finish('left');
      if (!counted) this.watcher?.ended(tap);
    });
    if (counted || !this.watcher) return;
    tap.follow();
    this.watcher.began(tap);
  }
}

/** Stands between a request's events and their consumer. */
class Tap extends Subscriber<StreamEvent> implements Running {
  readonly id: string;
  readonly path: string;
  readonly client: string;
  readonly began: number;
  readonly notes: Noted[] = [];
  readonly #out: Subscriber<StreamEvent>;
  readonly #valve: Valve;
  readonly #registry: Registry;
  sent = 0;
  end: Running['end'];
  #pausedFor = 0;
  #pausedSince: number | undefined;
  #leave: (() => void) | undefined;

  constructor(out: Subscriber<StreamEvent>, { id, path, client = '', valve }: Asked, registry: Registry) {
    super(out);
    this.id = id;
    this.path = path;
    this.client = client;
    this.began = registry.now();
    this.#out = out;
    this.#valve = valve;
    this.#registry = registry;
  }

  /** Before its first byte, a closed valve only means that the turn of the request has not come. */
  get paused(): boolean {
    return this.sent > 0 && this.#valve instanceof Gate && !this.#valve.value;
  }

  pausedFor(now: number): number {
    return this.#pausedFor + (this.#pausedSince === undefined ? 0 : now - this.#pausedSince);
  }

  follow(): void {
    this.#leave ??= followValve(this.#valve, this, (open) => {
      const at = this.#registry.now();
      if (this.#pausedSince !== undefined) this.#pausedFor += at - this.#pausedSince;
      this.#pausedSince = open || this.sent === 0 ? undefined : at;
    });
  }

  unfollow(): void {
    this.#leave?.();
    this.#leave = undefined;
    this.#pausedSince = undefined;
  }

  finish(outcome: NonNullable<Running['end']>['outcome'], code?: string): void {
    this.end ??= { at: this.#registry.now(), outcome, code };
    this.#pausedFor = this.pausedFor(this.end.at);
    this.#pausedSince = undefined;
  }

  protected override _next(event: StreamEvent): void {
    if (event.type === 'chunk') {
      const { length } = event.bytes;
      this.sent += length;
      this.#registry.bytes += length;
    } else if (event.type !== 'end') this.#note(event);
    this.#out.next(event);
  }

  #note(event: Noted['event']): void {
    if (event.type === 'resumed') this.#registry.resumed += 1;
    if (this.notes.length < NOTES) this.notes.push({ at: this.#registry.now(), sent: this.sent, event });
  }

  protected override _error(thrown: unknown): void {
    if (this.notes.some(({ event }) => event.type === 'head')) this.#registry.cut += 1;
    this.finish('failed', toStreamError(thrown).code);
    this.#out.error(thrown);
    this.unsubscribe();
  }

  protected override _complete(): void {
    this.finish('complete');
    this.#out.complete();
    this.unsubscribe();
  }
}
