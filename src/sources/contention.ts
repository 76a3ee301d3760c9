import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import type { OpenSource } from '../../pipelines/model/index.ts';

/** The client of transfers that nobody waits for. They give way to all others. */
export const BACKGROUND = 'background';

/** Knows whether clients wait for places at sources. */
export interface Contention {
  /** Whether none does, nor did until a moment ago; its present state first. */
  readonly free: Observable<boolean>;
  /** A client waits, until the returned function is called, or for as long as any may wait. */
  waits(): () => void;
  /** Sees the transfers of clients that have to wait for their places. */
  watch(open: OpenSource): OpenSource;
}

/**
 * Milliseconds without a waiting client after which the others may go on: what they have to begin
 * again costs bytes.
 */
const QUIET = 2_000;

/** `longest`: the milliseconds after which a client no longer waits, read for each. */
export const createContention = (longest: () => number): Contention => {
  const waiting = new Set<object>();
  const free = new BehaviorSubject(true);
  let quiet: NodeJS.Timeout | undefined;

  const waits = (): (() => void) => {
    const one = {};
    waiting.add(one);
    clearTimeout(quiet);
    // Later: a place that is free by that may be taken before the caller knows how to end this.
    queueMicrotask(() => waiting.size > 0 && free.next(false));
    const end = () => {
      clearTimeout(timeout);
      if (!waiting.delete(one) || waiting.size > 0) return;
      quiet = setTimeout(() => free.next(true), QUIET).unref();
    };
    // A client that leaves its queue does not say so.
    const timeout = setTimeout(end, longest()).unref();
    return end;
  };

  return {
    free: free.pipe(distinctUntilChanged()),
    waits,
    watch: (open) => (location, ask) => {
      if (ask.client === BACKGROUND) return open(location, ask);
      let end: (() => void) | undefined;
      return open(location, {
        ...ask,
        waits: (waiting) => {
          end?.();
          end = waiting ? waits() : undefined;
          ask.waits?.(waiting);
        },
      });
    },
  };
};
