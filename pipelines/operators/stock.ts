import { type Observable, Subscription } from 'rxjs';
import type { About, Basin, Fillable } from './basin.ts';
import type { Bounds } from './join.ts';
import type { KeptValues } from './kept-values.ts';

/**
 * The values of a shared source that wait outside of memory: in the basin that the source brings,
 * or in one that is filled here.
 */
export class Stock<T> {
  readonly #parts: Pick<Bounds<T>, 'size' | 'basins'>;
  readonly #kept: KeptValues<T>;
  /** Called when the basin is ready, or no longer is. */
  readonly #moved: () => void;
  readonly #ties = new Subscription();
  #about: About<T> | undefined;
  #basin: Basin<T> | undefined;
  /** The basin, if it is filled here. */
  #spill: Fillable<T> | undefined;
  /** Follows whether the basin is ready. */
  #pacing: Subscription | undefined;
  #ready = true;

  constructor(parts: Pick<Bounds<T>, 'size' | 'basins'>, kept: KeptValues<T>, moved: () => void) {
    this.#parts = parts;
    this.#kept = kept;
    this.#moved = moved;
  }

  /** What the source says about itself, once it does. */
  get about(): About<T> | undefined {
    return this.#about;
  }

  get basin(): Basin<T> | undefined {
    return this.#basin;
  }

  /** Whether it takes the values that follow. */
  get taking(): boolean {
    return this.#basin?.taking === true;
  }

  /** Whether it keeps up with the source, if it takes its values. */
  get ready(): boolean {
    return this.#ready || !this.taking;
  }

  /** Whether it has all values so far, or will. */
  get hasAll(): boolean {
    const basin = this.#basin;
    return basin !== undefined && basin.from === 0 && (basin.taking || basin.to === this.#kept.received);
  }

  /** Whether it has all values that are kept in memory. */
  get hasKept(): boolean {
    return this.#basin !== undefined && this.#basin.to >= this.#kept.received;
  }

  /** When the values are available elsewhere, too: see `Basin.moved`. */
  get moved(): Basin<T>['moved'] {
    return this.#spill ? undefined : this.#basin?.moved;
  }

  /** Returns what the value says about its source, if anything. */
  take(value: T): About<T> | undefined {
    const about = this.#parts.basins?.about(value);
    if (about) {
      this.#about = about;
      if (about.basin) this.#use(about.basin);
    }
    if (this.#spill?.taking && this.#parts.size(value) > 0) this.#spill.write(value);
    return about;
  }

  /** The source has ended. */
  end(): void {
    this.#spill?.end();
  }

  /** From now on, a disk that is slower than the source slows it down. */
  pace(): void {
    this.#pacing ??= this.#basin?.ready.subscribe((ready) => {
      this.#ready = ready;
      this.#moved();
    });
  }

  /**
   * Whether the source's values go to a basin, from the first kept one on at the latest. A basin
   * that is full is replaced once all `positions` lie behind it.
   */
  fill(positions: Iterable<{ readonly position: number }>, ended: boolean): boolean {
    if (this.taking || this.hasKept) return true;
    const { basins, size } = this.#parts;
    const kept = this.#kept;
    if (!basins || !this.#about?.scarce) return false;
    if (this.#basin) {
      for (const { position } of positions) if (position < this.#basin.to) return false;
      this.#forget();
    }
    const { total } = this.#about;
    const spill = basins.make(kept.start, total === undefined ? undefined : total - kept.start);
    if (!spill) return false;
    this.#spill = spill;
    this.#use(spill);
    const stored = kept.every((value) => size(value) === 0 || spill.write(value));
    if (ended) spill.end();
    // Only now: the source may go on at once, and what it emits comes after what was kept.
    this.pace();
    return stored;
  }

  /** Lets go of the basin. */
  close(): void {
    this.#ties.unsubscribe();
    this.#forget();
  }

  /** Until `close`, calls `then` when the values are available elsewhere, too. */
  whenMoved(moved: Observable<never>, then: () => void): void {
    this.#ties.add(moved.subscribe({ complete: then }));
  }

  #use(basin: Basin<T>): void {
    basin.retain();
    this.#basin = basin;
  }

  #forget(): void {
    this.#pacing?.unsubscribe();
    this.#pacing = undefined;
    this.#basin?.release();
    this.#basin = undefined;
  }
}
