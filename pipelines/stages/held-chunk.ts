import type { Subscriber } from 'rxjs';
import { type Chunk, LOANS } from '../model/index.ts';

/** The one chunk that a stage holds back. Its loan is given back when `out` ends. */
export class HeldChunk {
  readonly #out: Pick<Subscriber<Chunk>, 'next'>;
  #chunk: Chunk | undefined;

  constructor(out: Subscriber<Chunk>) {
    this.#out = out;
    out.add(this);
  }

  isThere(): boolean {
    return this.#chunk !== undefined;
  }

  hold(chunk: Chunk): void {
    LOANS.retain(chunk);
    this.#chunk = chunk;
  }

  /** Emits it, if there is one. */
  pass(): void {
    const chunk = this.#chunk;
    this.#chunk = undefined;
    if (!chunk) return;
    this.#out.next(chunk);
    LOANS.release(chunk);
  }

  /** The teardown of `out`. */
  unsubscribe(): void {
    if (this.#chunk) LOANS.release(this.#chunk);
    this.#chunk = undefined;
  }
}
