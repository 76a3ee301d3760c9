import type { CopyProgress } from './copy-progress.ts';
import type { ErrorCode, Phase, StreamError } from './errors.ts';

/** The outcome of a request. `left`: the consumer unsubscribed before the end. */
export type Outcome = 'complete' | 'failed' | 'left';

/** One try of one candidate. */
export interface AttemptReport {
  readonly source: string;
  readonly url: string;
  /** The first byte requested. */
  readonly from: number;
  readonly failure?: { readonly code: ErrorCode; readonly message: string; readonly phase: Phase };
}

/** One event of the request, `at` milliseconds after its start. */
export interface Moment {
  readonly at: number;
  readonly what:
    | 'found'
    | 'shared'
    | 'behind'
    | 'on-disk'
    | 'attempt'
    | 'asked'
    | 'failed'
    | 'resumed'
    | 'head'
    | 'first-byte'
    | 'recorded'
    | 'end';
  readonly detail: string;
}

/** The summary of one request; made once, for every outcome. */
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
  /** The source of the last byte. */
  readonly source?: string;
  readonly attempts: readonly AttemptReport[];
  /** The checksum's algorithm, if the content was verified with the catalog's checksum. */
  readonly verified?: string;
  /** Pauses of the consumer: their number, and their total in milliseconds. */
  readonly pauses: number;
  readonly pausedFor: number;
  readonly recorded: boolean;
  /** How far its copy is, if one is kept: it may be in the making after the request. */
  readonly copy?: CopyProgress;
  /** The file that the consumer was to send itself was named, instead of sending its bytes. */
  readonly handedOver?: boolean;
  readonly timeline: readonly Moment[];
}
