import type { Subscriber } from 'rxjs';
import { Consumer, type ConsumerParts, type Joined, type Supply } from './consumer.ts';
import type { Bounds, Join } from './join.ts';
import { type KeepingParts, KeptValues } from './kept-values.ts';
import type { Overdue } from './overdue.ts';
import type { ShortLivedMap } from './short-lived-map.ts';
import { Stock } from './stock.ts';
import { subscriberOf } from './subscriber.ts';
import { Gate } from './valve.ts';

/** What all shared sources have in common. */
export interface SharingParts<T> extends Bounds<T>, KeepingParts<T>, ConsumerParts<T> {
  readonly running: ShortLivedMap<string, Shared<T>>;
  /** The sources that ended without a consumer. The values of one that is overdue wait no longer. */
  readonly lingering: Overdue<Shared<T>>;
  /** The sources that are read to their end without a consumer. */
  readonly alone: Set<Shared<T>>;
  /** The sources that wait, paused, for the next consumer. One that is overdue ends. */
  readonly awaiting: Overdue<Shared<T>>;
  /** No further source may run or wait without a consumer. */
  closed: boolean;
}

/** The most sources that are read to their end without a consumer. */
const ALONE = 64;

/** One source, its consumers, and the values between them: see `shareFlow`. */
export class Shared<T> implements Supply<T> {
  readonly kept: KeptValues<T>;
  readonly stock: Stock<T>;
  readonly #parts: SharingParts<T>;
  readonly #key: string;
  readonly #expected: number | undefined;
  readonly #consumers = new Set<Consumer<T>>();
  readonly #valve = new Gate(true);
  /** A consumer lagged: values need not stay in memory for others. */
  #diverting = false;
  /** Its values are to go to a basin for consumers that come later. */
  #stays = false;
  /** They have: since a consumer left, or one asked for it. */
  #keeps = false;
  #lingers = false;
  /** Its consumers come one after the other, as those that ask for parts do. */
  #returns = false;
  /** Nobody comes later. */
  #isPrivate = false;
  #ending: ((out: Subscriber<T>) => void) | undefined;

  constructor(parts: SharingParts<T>, key: string, expected?: number) {
    this.#parts = parts;
    this.#key = key;
    this.#expected = expected;
    this.kept = new KeptValues(parts);
    this.stock = new Stock(parts, this.kept, () => this.steer());
  }

  /** Whether a new consumer can still have all values. */
  get admits(): boolean {
    return (this.kept.first === 0 && !this.#ending) || this.stock.hasAll;
  }

  get ending(): Supply<T>['ending'] {
    return this.#ending;
  }

  /** Opens the source. */
  run(source: Join<T>['source']): void {
    // Its first consumer may have left already.
    if (this.#intake.closed) return;
    const { basins } = this.#parts;
    const mayFallBehind = () => basins !== undefined || this.#consumers.size > 1 || this.#isShared;
    source(mayFallBehind)(this.#valve).subscribe(this.#intake);
  }

  add(out: Subscriber<T>, join: Joined<T> & Pick<Join<T>, 'stays'>): void {
    const consumer = new Consumer(out, join, this, this.#parts);
    this.#parts.alone.delete(this);
    this.#parts.awaiting.delete(this);
    if (join.stays) this.#stayFor();
    else if (join.stays === false) this.#isPrivate = true;
    this.#consumers.add(consumer);
    consumer.start();
    // The source may wait for consumers that want nothing, or for this one.
    this.steer();
  }

  divert(consumer: Consumer<T>): boolean {
    if (!this.#fill()) return false;
    this.#diverting = true;
    consumer.divert();
    this.#tidy();
    this.steer();
    return true;
  }

  steer(): void {
    let wanted = this.#parts.alone.has(this);
    for (const consumer of this.#consumers) wanted ||= consumer.wants;
    wanted &&= this.stock.ready;
    if (wanted !== this.#valve.value) this.#valve.next(wanted);
  }

  left(consumer: Consumer<T>): void {
    this.#consumers.delete(consumer);
    if (this.#consumers.size > 0) this.steer();
    else if (this.#ending) this.#stopOrLinger();
    else if (this.#goesOnAlone() || this.#awaitNext()) {
      this.#tidy();
      this.steer();
    } else this.stop();
  }

  /** Drops everything, and leaves the source. */
  stop(): void {
    this.#close();
    this.kept.dropUntil(this.kept.end);
    this.#intake.unsubscribe();
    this.stock.close();
    this.#parts.alone.delete(this);
  }

  /** The values of a source without consumers need not wait any longer, nor need the source itself. */
  expire(): void {
    this.#close();
    if (this.#consumers.size === 0) this.stop();
  }

  readonly #intake = subscriberOf<T>({
    next: (value) => this.#take(value),
    error: (error: unknown) => {
      this.#close();
      this.#end((out) => out.error(error));
    },
    complete: () => this.#end((out) => out.complete()),
  });

  #take(value: T): void {
    this.kept.add(value);
    const about = this.stock.take(value);
    if (about?.stays && !this.#isPrivate) this.#stayFor();
    for (const consumer of this.#consumers) consumer.deliver();
    if (this.#consumers.size === 0 && !this.#parts.awaiting.has(this) && !this.#goesOnAlone()) {
      this.stop();
      return;
    }
    if (this.kept.received > this.#parts.lateJoinWindow) {
      if (this.#stays) this.#stay();
      this.stock.pace();
    }
    this.#tidy();
    // The basin may be full now.
    if (this.#diverting) this.steer();
  }

  #end(ending: (out: Subscriber<T>) => void): void {
    this.#parts.awaiting.delete(this);
    this.#ending = ending;
    this.stock.end();
    if (this.#consumers.size === 0) this.#stopOrLinger();
    else for (const consumer of this.#consumers) consumer.deliver();
  }

  /**
   * Keeps the values for others: those in a spill if a consumer left before the end, and those of a
   * copy until others find it.
   */
  #stopOrLinger(): void {
    const { moved, hasAll } = this.stock;
    if (!this.#mayWait || !this.#isShared || !hasAll || !(moved || this.#keeps)) {
      this.stop();
      return;
    }
    this.kept.dropUntil(this.kept.end);
    if (this.#lingers) return;
    this.#lingers = true;
    this.#parts.alone.delete(this);
    if (moved) this.stock.whenMoved(moved, () => this.expire());
    else this.#parts.lingering.add(this);
  }

  /** Whether it may go on, or wait, without a consumer. */
  get #mayWait(): boolean {
    return !this.#parts.closed && !this.stock.about?.fleeting;
  }

  /** Whether the source, which has no consumer, is read to its end. */
  #goesOnAlone(): boolean {
    const { basins, alone } = this.#parts;
    const { about } = this.stock;
    const { received } = this.kept;
    const total = about ? about.total : (this.#expected ?? received);
    const rest = (total ?? Number.POSITIVE_INFINITY) - received;
    if (!this.#mayWait || !basins?.finishBelow || rest > basins.finishBelow || !this.admits) return false;
    if (!alone.has(this) && alone.size >= ALONE) return false;
    if (about && !this.#fill()) return false;
    alone.add(this);
    this.#diverting = about !== undefined;
    this.#keeps = true;
    return true;
  }

  /** Whether the source waits for the next consumer: between two of them there may be none for a moment. */
  #awaitNext(): boolean {
    const awaits = this.#returns && this.#mayWait && this.admits && this.#isShared;
    if (awaits) this.#parts.awaiting.add(this);
    return awaits;
  }

  /** Those that come later are to find everything. */
  #stayFor(): void {
    this.#returns = this.#parts.basins !== undefined;
    this.#stays = !this.#keeps;
  }

  /** Before the first value is dropped, all go to a basin. */
  #stay(): void {
    this.#stays = false;
    this.#keeps = this.#fill();
  }

  #fill(): boolean {
    return this.stock.fill(this.#consumers, this.#ending !== undefined);
  }

  /** Whether the next consumer finds it. */
  get #isShared(): boolean {
    return this.#parts.running.get(this.#key) === this;
  }

  /** Admits no further consumer: the next one gets a new source. */
  #close(): void {
    if (this.#isShared) this.#parts.running.delete(this.#key);
  }

  /**
   * Drops the values that every consumer has taken and no later consumer can need. Then drops
   * values that exceed a limit. Keeps values that no consumer has taken yet: the foremost consumer
   * never falls behind, since the source waits for it.
   */
  #tidy(): void {
    const { lateJoinWindow, window, memory, held } = this.#parts;
    const { kept } = this;
    const admits = this.#isShared;
    const late = this.#diverting ? 0 : lateJoinWindow;
    // The usual case: everything may be kept.
    if (admits && kept.weight <= Math.min(late, window) && held <= memory) return;
    let [least, most] = [kept.end, kept.first];
    for (const { needs } of this.#consumers) {
      least = Math.min(least, needs);
      most = Math.max(most, needs);
    }
    const taken = kept.weight - kept.weightFrom(least);
    let first = admits && taken <= late ? kept.first : least;
    let rest = kept.weightFrom(first);
    for (; first < most && (rest > window || held - kept.weight + rest > memory); first++)
      rest -= this.#parts.size(kept.at(first));
    kept.dropUntil(first);
    if (!this.admits) this.#close();
    // All of them first: the source may go on when one leaves.
    const lost = [...this.#consumers].filter((consumer) => consumer.dropped());
    for (const consumer of lost) consumer.lose();
  }
}
