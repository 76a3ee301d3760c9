import type { Facts } from './wire.ts';

/** One finished request in the list of the history. */
export interface Finished {
  readonly id: string;
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly client?: string;
  readonly status: number;
  readonly outcome: string;
  readonly bytes: number;
  readonly duration: number;
  readonly source?: string;
  readonly code?: string;
  /** What became of its copy so far; absent if none was kept. */
  readonly copy?: NonNullable<Facts['copy']>;
  readonly eventful: boolean;
}

/** One finished request with all that is known of it. */
export interface FinishedReport extends Finished {
  readonly error?: string;
  readonly verified?: string;
  readonly pauses: number;
  readonly pausedFor: number;
  readonly recorded: boolean;
  /** How far its copy is. Times since 1970. */
  readonly copied?: {
    readonly bytes: number;
    readonly whole?: number;
    readonly at?: number;
    readonly problem?: string;
  };
  readonly attempts: readonly {
    readonly source: string;
    readonly url: string;
    readonly from: number;
    readonly code?: string;
    readonly message?: string;
  }[];
  readonly timeline: readonly { readonly at: number; readonly what: string; readonly detail: string }[];
}
