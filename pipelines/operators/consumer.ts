import type { Subscriber, Subscription } from 'rxjs';
import type { Bounds, Join } from './join.ts';
import type { KeptValues } from './kept-values.ts';
import type { Overdue } from './overdue.ts';
import type { Stock } from './stock.ts';
import { subscriberOf } from './subscriber.ts';
import { followValve, type Valve } from './valve.ts';

/** What all consumers have in common. */
export interface ConsumerParts<T> extends Pick<Bounds<T>, 'size' | 'basins'> {
  /** The consumers whose valve is closed. One that is overdue is diverted. */
  readonly lagging: Overdue<Consumer<T>>;
}

/** How a consumer joined. */
export interface Joined<T> extends Pick<Join<T>, 'fallback'> {
  readonly valve: Valve;
}

/** What a consumer takes from. */
export interface Supply<T> {
  readonly kept: KeptValues<T>;
  readonly stock: Stock<T>;
  /** How the source ended, once it has. */
  readonly ending: ((out: Subscriber<T>) => void) | undefined;
  /** Called when the consumer wants more, or no more, or takes from memory again. */
  steer(): void;
  /** Lets the source run on without the consumer. Returns whether its values can wait in a basin. */
  divert(consumer: Consumer<T>): boolean;
  /** Called once, when the consumer takes no more from the supply. */
  left(consumer: Consumer<T>): void;
}

/** One consumer of a shared source, which takes from memory or from a basin: see `shareFlow`. */
export class Consumer<T> {
  readonly #out: Subscriber<T>;
  readonly #join: Joined<T>;
  readonly #supply: Supply<T>;
  readonly #parts: ConsumerParts<T>;
  /** The index of the next value, and the weight of it that was taken already. */
  #at = 0;
  #taken = 0;
  #position = 0;
  /** It takes from the basin: its position counts, its index only for values of weight 0. */
  #away: boolean;
  #open = true;
  #busy = false;
  #gone = false;
  #reading: Subscription | undefined;
  #leaveValve = () => {};

  constructor(out: Subscriber<T>, join: Joined<T>, supply: Supply<T>, parts: ConsumerParts<T>) {
    this.#out = out;
    this.#join = join;
    this.#supply = supply;
    this.#parts = parts;
    this.#away = supply.kept.first > 0;
  }

  /** The weight of all that was taken. */
  get position(): number {
    return this.#position;
  }

  /** Whether the source runs on for it. */
  get wants(): boolean {
    return this.#away ? this.#supply.stock.taking : this.#open;
  }

  /** The index of the first value that must stay in memory for it. */
  get needs(): number {
    const { kept, stock } = this.#supply;
    if (this.#away) return stock.hasKept ? kept.end : kept.first;
    return this.#at;
  }

  /** Follows the valve, and takes what is there. */
  start(): void {
    this.#out.add(() => this.leave());
    this.#leaveValve = followValve(this.#join.valve, this.#out, (wanted) => {
      if (this.#open === wanted || this.#gone) return;
      this.#open = wanted;
      if (wanted) {
        this.#parts.lagging.delete(this);
        this.deliver();
      } else if (this.#parts.basins) this.#parts.lagging.add(this);
      this.#supply.steer();
    });
    if (this.#gone) this.#leaveValve();
    this.deliver();
  }

  /** It has not wanted anything for a while. */
  lags(): void {
    if (!this.#supply.divert(this)) this.#parts.lagging.add(this);
  }

  /** Takes from the basin from now on, once its valve opens. */
  divert(): void {
    this.#reading?.unsubscribe();
    this.#reading = undefined;
    const { basin } = this.#supply.stock;
    if (!this.#away && basin && this.#parts.basins) this.#out.next(this.#parts.basins.onDivert(basin));
    this.#away = true;
  }

  /**
   * Values were dropped. If they are among those that it has not taken, only the basin has them.
   * Returns whether it has not.
   */
  dropped(): boolean {
    const { kept, stock } = this.#supply;
    if (this.#away || this.#at >= kept.first) return false;
    this.#away = true;
    return !stock.hasKept;
  }

  /** Neither memory nor the basin has what it needs next. */
  lose(): void {
    if (this.#gone) return;
    this.leave();
    if (!this.#busy) this.#fallBack();
  }

  /** Emits what can be taken now. */
  deliver(): void {
    if (this.#busy || this.#gone) return;
    this.#busy = true;
    this.#takeKept();
    this.#busy = false;
    const { kept, ending } = this.#supply;
    if (this.#gone) {
      // It fell behind while it was busy with an earlier value.
      if (!this.#out.closed) this.#fallBack();
    } else if (this.#away) this.#deliverStored();
    else if (ending && this.#at === kept.end) ending(this.#out);
  }

  leave(): void {
    this.#leaveValve();
    this.#reading?.unsubscribe();
    this.#parts.lagging.delete(this);
    if (this.#gone) return;
    this.#gone = true;
    this.#supply.left(this);
  }

  #takeKept(): void {
    const { size, basins } = this.#parts;
    const { kept } = this.#supply;
    while (!this.#gone && !this.#away && this.#at < kept.end) {
      const value = kept.at(this.#at);
      const weight = size(value);
      if (!this.#open && weight > 0) return;
      const rest = this.#taken > 0 && basins ? basins.rest(value, this.#taken) : value;
      this.#position += weight - this.#taken;
      this.#at += 1;
      this.#taken = 0;
      this.#out.next(rest);
    }
  }

  #deliverStored(): void {
    const { kept, stock, ending } = this.#supply;
    this.#passAsides();
    if (this.#gone) return;
    // It may have all, and only miss the end.
    if (!this.#open && !(ending && this.#position === kept.received)) return;
    if (this.#position >= kept.start) this.#comeBack();
    else if (this.#reading) return;
    else if (stock.basin && this.#position >= stock.basin.from) this.#read(stock.basin);
    else this.lose();
  }

  #read(basin: NonNullable<Stock<T>['basin']>): void {
    const { kept } = this.#supply;
    const taker = subscriberOf<T>({
      next: (value) => {
        this.#passAsides();
        this.#position += this.#parts.size(value);
        this.#out.next(value);
        if (this.#position >= kept.start) this.#comeBack();
      },
      error: () => this.lose(),
      // It may complete within its last value, after which memory has the next one.
      complete: () => {
        if (this.#position < kept.start) this.lose();
      },
    });
    this.#reading = taker;
    basin.read(this.#position)(this.#join.valve).subscribe(taker);
  }

  /** Takes from memory again. */
  #comeBack(): void {
    this.#reading?.unsubscribe();
    this.#reading = undefined;
    const { at, taken, missed } = this.#supply.kept.find(this.#position, this.#at);
    this.#passAsides();
    this.#away = false;
    this.#at = at;
    this.#taken = taken;
    for (const value of missed) this.#out.next(value);
    this.deliver();
    this.#supply.steer();
  }

  #passAsides(): void {
    for (const { value, index, position } of this.#supply.kept.asides) {
      if (index < this.#at || position > this.#position) continue;
      this.#at = index + 1;
      this.#out.next(value);
    }
  }

  #fallBack(): void {
    this.#join.fallback(this.#join.valve).subscribe(this.#out);
  }
}
