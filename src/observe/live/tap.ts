import { Subscriber } from 'rxjs';
import {
  type Candidate,
  type CatalogEntry,
  type CopyProgress,
  type ErrorCode,
  type Head,
  type Note,
  type SourceId,
  type StreamEvent,
  toStreamError,
} from '../../../pipelines/model/index.ts';
import type { Extent } from '../../../pipelines/operators/basin.ts';
import { followValve, Gate, type Valve } from '../../../pipelines/operators/valve.ts';

/** What viewers know of a candidate. */
interface SeenCandidate {
  readonly source: SourceId;
}

/** What viewers know of an event: a part of it, so that each event is one. */
export type SeenEvent =
  | { readonly type: 'found'; readonly candidates: readonly SeenCandidate[] }
  | { readonly type: 'attempt' | 'resumed'; readonly candidate: SeenCandidate; readonly from: number }
  | { readonly type: 'asked'; readonly candidate: SeenCandidate }
  | { readonly type: 'failed'; readonly candidate: SeenCandidate; readonly error: { readonly code: ErrorCode } }
  | {
      readonly type: 'head';
      readonly candidate: SeenCandidate &
        Pick<Candidate, 'unproven'> & { readonly entry: Pick<CatalogEntry, 'checksum'> };
      readonly first: number;
      readonly length?: number;
      readonly whole: boolean;
      readonly verified: boolean;
    }
  | { readonly type: 'behind'; readonly from: number }
  | { readonly type: 'recorded' | 'shared' | 'on-disk' };

/** An event other than a chunk, when it came, and the bytes that came before it. */
export interface Noted {
  readonly at: number;
  readonly sent: number;
  readonly event: SeenEvent;
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
  /** How far the copy is that is kept of it; it may be in the making after the end. */
  readonly copy?: CopyProgress;
  /** The bytes of the transfer that were put on disk for its client alone. */
  readonly spill?: Extent;
  /** If somebody looked when it was over. */
  readonly end?: { readonly at: number; readonly outcome: 'complete' | 'failed' | 'left'; readonly code?: string };
}

/** What a request is known by, before it runs. */
export interface Asked {
  readonly id: string;
  readonly path: string;
  readonly client?: string;
  readonly valve: Valve;
}

/** Sums of all requests, and the clock. */
export interface Taps {
  readonly now: () => number;
  /** Whether somebody looks. */
  readonly isWatched: boolean;
  bytes: number;
  resumed: number;
  replaced: number;
  cut: number;
  /** Called once when a request is over, however it ends. */
  left(tap: Tap): void;
}

/** Milliseconds after the end of a request for which the making of its copy is followed. */
const FOLLOWED = 300_000;

/** Whether nothing will happen to a request any more: neither to it nor to its copy. */
export const isOver = ({ copy, end }: Running, now: number): boolean =>
  end !== undefined && (!copy || copy.end !== undefined || end.at < now - FOLLOWED);

const isFailure = ({ event }: Noted): boolean => event.type === 'failed';

/** Notes of one request that are remembered. */
const NOTES = 200;

/** How long a client takes nothing, while somebody looks. */
interface Pauses {
  leave?: () => void;
  sum: number;
  since?: number;
}

/**
 * Stands between a request's events and their consumer. It has few fields and makes few objects, since there is one
 * for each request, and hardly ever somebody who looks.
 */
export class Tap extends Subscriber<StreamEvent> implements Running {
  readonly began: number;
  readonly notes: Noted[] = [];
  sent = 0;
  spill: Running['spill'];
  end: Running['end'];
  /** Its neighbours in the list of those that run. */
  before: Tap | undefined;
  after: Tap | undefined;
  readonly #out: Subscriber<StreamEvent>;
  readonly #asked: Asked;
  readonly #sums: Taps;
  #head: Head | undefined;
  #pauses: Pauses | undefined;

  constructor(out: Subscriber<StreamEvent>, asked: Asked, sums: Taps) {
    super(out);
    this.began = sums.now();
    this.#out = out;
    this.#asked = asked;
    this.#sums = sums;
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

  get copy(): Running['copy'] {
    return this.#head?.copy;
  }

  /** Before its first byte, a closed valve only means that the turn of the request has not come. */
  get paused(): boolean {
    const { valve } = this.#asked;
    return this.sent > 0 && valve instanceof Gate && !valve.value;
  }

  pausedFor(now: number): number {
    const { sum = 0, since = now } = this.#pauses ?? {};
    return sum + now - since;
  }

  /** Measures pauses from now on. */
  follow(): void {
    if (this.#pauses) return;
    const pauses: Pauses = { sum: 0 };
    this.#pauses = pauses;
    pauses.leave = followValve(this.#asked.valve, this, (open) => {
      const at = this.#sums.now();
      pauses.sum = this.pausedFor(at);
      pauses.since = open || this.sent === 0 ? undefined : at;
    });
  }

  unfollow(): void {
    this.#pauses?.leave?.();
    this.#pauses = undefined;
  }

  #finish(outcome: NonNullable<Running['end']>['outcome'], code?: string): void {
    if (this.end || !this.#sums.isWatched) return;
    const at = this.#sums.now();
    this.end = { at, outcome, code };
    if (this.#pauses) this.#pauses = { sum: this.pausedFor(at) };
  }

  protected override _next(event: StreamEvent): void {
    if (event.type === 'chunk') {
      const { length } = event.bytes;
      this.sent += length;
      this.#sums.bytes += length;
    } else if (event.type !== 'end') this.#note(event);
    this.#out.next(event);
  }

  #note(event: Head | Note): void {
    if (event.type === 'resumed') this.#sums.resumed += 1;
    else if (event.type === 'head') {
      if (this.notes.some(isFailure)) this.#sums.replaced += 1;
      this.#head = event;
    } else if (event.type === 'on-disk' && event.basin !== this.#head?.basin) this.spill = event.basin;
    if (this.notes.length < NOTES) this.notes.push({ at: this.#sums.now(), sent: this.sent, event });
  }

  protected override _error(thrown: unknown): void {
    if (this.#head) this.#sums.cut += 1;
    this.#finish('failed', toStreamError(thrown).code);
    this.#out.error(thrown);
    this.unsubscribe();
  }

  protected override _complete(): void {
    this.#finish('complete');
    this.#out.complete();
    this.unsubscribe();
  }

  override unsubscribe(): void {
    const { closed } = this;
    super.unsubscribe();
    if (closed) return;
    this.#finish('left');
    this.#sums.left(this);
  }
}
