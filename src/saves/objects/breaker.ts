import type { StreamError } from '../../../pipelines/model/index.ts';
import { backOff } from '../../../pipelines/operators/back-off.ts';

/** Whether the store answers. While it does not, requests do not wait for it. */
export interface Breaker {
  /** Whether the store may be asked at this moment. */
  readonly closed: boolean;
  /** Runs work at the store, and notes how it ended. Rejects with the work. */
  run<T>(work: Promise<T>): Promise<T>;
  /** Notes a failure. What is about one object says nothing of the store. */
  failed(error: StreamError): void;
  succeeded(): void;
}

interface Options {
  /** Called with the reason when the store stops answering, and without one when it does again. */
  readonly onChange: (problem: StreamError | undefined) => void;
  /** Milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
}

/** Milliseconds for which a store that failed is not asked; each further failure doubles them. */
const COOLING = { wait: 2_000, waitLimit: 60_000 } as const;

/** About one object, or about what a client wanted. */
const ABOUT_ONE: ReadonlySet<string> = new Set(['SOURCE_MISSING', 'CHANGED', 'UNSATISFIABLE']);

export const makeBreaker = ({ onChange, now, random }: Options): Breaker => {
  let failures = 0;
  let until = 0;
  const breaker: Breaker = {
    get closed() {
      return now() >= until;
    },
    run: async (work) => {
      try {
        const result = await work;
        breaker.succeeded();
        return result;
      } catch (error) {
        breaker.failed(error as StreamError);
        throw error;
      }
    },
    failed: (error) => {
      if (ABOUT_ONE.has(error.code)) return;
      // Many requests may have waited for the same failure.
      if (failures > 0 && now() < until) return;
      until = now() + backOff(failures, { ...COOLING, random });
      failures += 1;
      onChange(error);
    },
    succeeded: () => {
      if (failures === 0) return;
      failures = 0;
      until = 0;
      onChange(undefined);
    },
  };
  return breaker;
};
