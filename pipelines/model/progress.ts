import type { Unsubscribable } from 'rxjs';
import type { Extent } from '../operators/basin.ts';
import type { Head, Note } from './events.ts';
import type { Report } from './report.ts';

/** An event other than a chunk. */
export interface Noted {
  /** Milliseconds from subscription. */
  readonly at: number;
  /** Body bytes handed to the consumer before it. */
  readonly sent: number;
  readonly event: Head | Note;
}

/** What is known of a request so far. It changes until its report is there. */
export interface Progress {
  /** Its events without its chunks: the first 200. */
  readonly notes: readonly Noted[];
  readonly head?: Head;
  /** Body bytes handed to the consumer. */
  readonly bytes: number;
  /** The bytes that were put on disk for the consumer alone. */
  readonly spill?: Extent;
  /** Whether the consumer takes nothing at present. Before the head it only waits for its turn. */
  readonly paused: boolean;
  /** Milliseconds of the consumer's pauses, the present one included. */
  pausedFor(): number;
  /** How often another connection continued the body. */
  readonly resumes: number;
  /** Whether an attempt failed before the head. */
  readonly replaced: boolean;
  /** There as soon as it is over, however it ended. */
  readonly report?: Report;
}

/**
 * Called once at the start of each request. What is returned is unsubscribed from at the end, when
 * the report is there.
 */
export type Watch = (progress: Progress) => Unsubscribable;
