import type { ErrorCode, Phase, StreamError } from './errors.ts';

/** How a request ended. `left`: whoever asked unsubscribed before the end. */
export type Outcome = 'complete' | 'failed' | 'left';

/** One try of one candidate. */
export interface AttemptReport {
  readonly source: string;
  readonly url: string;
  /** The byte that it was asked to start at. */
  readonly from: number;
  readonly failure?: { readonly code: ErrorCode; readonly message: string; readonly phase: Phase };
}

/** One thing that happened, milliseconds after the request began. */
export interface Moment {
  readonly at: number;
  readonly what:
    | 'found'
    | 'shared'
    | 'behind'
    | 'attempt'
    | 'failed'
    | 'resumed'
    | 'head'
    | 'first-byte'
    | 'recorded'
    | 'end';
  readonly detail: string;
}

/** What happened to one request; made once, whatever the outcome. */
export interface Report {
  readonly id: string;
  readonly method: 'GET' | 'HEAD';
  readonly path: string;
  readonly outcome: Outcome;
  readonly error?: StreamError;
  /** Body bytes handed to the consumer. */
  readonly bytes: number;
  /** Milliseconds from subscription to the end. */
  readonly duration: number;
  /** Milliseconds from subscription to the first body byte. */
  readonly firstByte?: number;
  /** The source that the last byte came from. */
  readonly source?: string;
  readonly attempts: readonly AttemptReport[];
  /** The checksum's algorithm, where the content was checked against the catalog's checksum. */
  readonly verified?: string;
  /** How often, and for how many milliseconds in all, the consumer wanted no more for the moment. */
  readonly pauses: number;
  readonly pausedFor: number;
  readonly recorded: boolean;
  readonly timeline: readonly Moment[];
}
