import { Subscriber } from 'rxjs';
import type { SourceEvent } from '../../pipelines/model/index.ts';
import { stageOf } from '../../pipelines/operators/operate.ts';

/** Bytes that are summed up. */
export interface Sum {
  bytes: number;
}

interface Counting {
  /** Get the bytes as they pass. */
  readonly sums?: readonly Sum[];
  /** Called once with all bytes of a body when it is over, however it ends. */
  readonly ended?: (bytes: number) => void;
}

/** Counts the bytes of a body on their way. */
export const countBytes = (counting: Counting) => stageOf<SourceEvent, SourceEvent>((out) => new Count(out, counting));

class Count extends Subscriber<SourceEvent> {
  readonly #out: Subscriber<SourceEvent>;
  readonly #sums: readonly Sum[] | undefined;
  #bytes = 0;

  constructor(out: Subscriber<SourceEvent>, { sums, ended }: Counting) {
    super(out);
    this.#out = out;
    this.#sums = sums;
    if (ended) this.add(() => ended(this.#bytes));
  }

  protected override _next(event: SourceEvent): void {
    if (event.type === 'chunk') {
      const { length } = event.bytes;
      this.#bytes += length;
      if (this.#sums) for (const sum of this.#sums) sum.bytes += length;
    }
    this.#out.next(event);
  }
}
