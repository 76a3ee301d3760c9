import { Observable, Subscriber } from 'rxjs';
import type { Location, OpenSource, SourceEvent } from '../../pipelines/model/index.ts';

/** Bytes that are summed up. */
export interface Sum {
  bytes: number;
  /** The sum that this one is a part of. */
  readonly within?: Sum;
}

/** What wants to know the bytes of sources. Asked for each source that is opened. */
export interface ByteCounter {
  /** Gets the bytes as they pass. */
  readonly sumOf?: (location: Location) => Sum | undefined;
  /** Gets all bytes of a body once, when it is over, however it ends. */
  readonly endedOf?: (location: Location) => Ended | undefined;
}

type Ended = (location: Location, bytes: number) => void;

/** Counts the bytes of bodies on their way, with one subscription for all that want to know. */
export const countBytes =
  (open: OpenSource, { sumOf, endedOf }: ByteCounter): OpenSource =>
  (location, ask) => {
    const events = open(location, ask);
    const [sum, ended] = [sumOf?.(location), endedOf?.(location)];
    if (!sum && !ended) return events;
    return (valve) =>
      new Observable((out) => {
        // It would be left before it is made.
        if (out.closed) return;
        events(valve).subscribe(new Count(out, location, sum, ended));
      });
  };

class Count extends Subscriber<SourceEvent> {
  readonly #out: Subscriber<SourceEvent>;
  readonly #location: Location;
  readonly #sum: Sum | undefined;
  readonly #ended: Ended | undefined;
  #bytes = 0;

  constructor(out: Subscriber<SourceEvent>, location: Location, sum: Sum | undefined, ended: Ended | undefined) {
    super(out);
    this.#out = out;
    this.#location = location;
    this.#sum = sum;
    this.#ended = ended;
  }

  protected override _next(event: SourceEvent): void {
    if (event.type === 'chunk') {
      const { length } = event.bytes;
      this.#bytes += length;
      for (let sum = this.#sum; sum; sum = sum.within) sum.bytes += length;
    }
    this.#out.next(event);
  }

  override unsubscribe(): void {
    const { closed } = this;
    super.unsubscribe();
    if (!closed) this.#ended?.(this.#location, this.#bytes);
  }
}
