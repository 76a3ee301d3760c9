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

/** Stands between a request's events and their consumer. */
export class Tap extends Subscriber<StreamEvent> implements Running {
  readonly id: string;
  readonly path: string;
  readonly client: string;
  readonly began: number;
  readonly notes: Noted[] = [];
  readonly #out: Subscriber<StreamEvent>;
  readonly #valve: Valve;
  readonly #sums: Taps;
  sent = 0;
  copy: Running['copy'];
  spill: Running['spill'];
  end: Running['end'];
  #copyBasin: Head['basin'];
  #pausedFor = 0;
  #pausedSince: number | undefined;
  #leave: (() => void) | undefined;

  constructor(out: Subscriber<StreamEvent>, { id, path, client = '', valve }: Asked, sums: Taps) {
    super(out);
    this.id = id;
    this.path = path;
    this.client = client;
    this.began = sums.now();
    this.#out = out;
    this.#valve = valve;
    this.#sums = sums;
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
      const at = this.#sums.now();
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
    this.end ??= { at: this.#sums.now(), outcome, code };
    this.#pausedFor = this.pausedFor(this.end.at);
    this.#pausedSince = undefined;
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
      this.copy = event.copy;
      this.#copyBasin = event.basin;
    } else if (event.type === 'on-disk' && event.basin !== this.#copyBasin) this.spill = event.basin;
    if (this.notes.length < NOTES) this.notes.push({ at: this.#sums.now(), sent: this.sent, event });
  }

  protected override _error(thrown: unknown): void {
    if (this.notes.some(({ event }) => event.type === 'head')) this.#sums.cut += 1;
    this.finish('failed', toStreamError(thrown).code);
    this.#out.error(thrown);
    this.unsubscribe();
  }

  protected override _complete(): void {
    this.finish('complete');
    this.#out.complete();
    this.unsubscribe();
  }

  override unsubscribe(): void {
    const { closed } = this;
    super.unsubscribe();
    if (closed) return;
    this.finish('left');
    this.#sums.left(this);
  }
}
