import { asyncScheduler, type SchedulerLike } from 'rxjs';
import type { Candidate, ErrorCode, Note, StreamError } from './model/index.ts';

interface HealthOptions {
  /** Milliseconds that a source cools down after its first failure; doubled by each further one, with jitter. */
  readonly cooldown: number;
  readonly cooldownLimit: number;
  readonly random: () => number;
  readonly scheduler?: SchedulerLike;
}

/** What is known of a source: `well`; `cooling`, tried last; or on `trial`, after which it is one of the others. */
export interface SourceHealth {
  readonly source: string;
  readonly state: 'well' | 'cooling' | 'trial';
  /** Failures in a row. */
  readonly failures: number;
  /** When it may be tried again, on the scheduler's clock; milliseconds. */
  readonly until?: number;
  readonly lastError?: { readonly code: ErrorCode; readonly message: string };
}

/** The memory of how sources behaved, shared by all requests. */
export interface Health {
  /** The candidates, those of cooling sources last; none is left out, and the order is else kept. */
  order(candidates: readonly Candidate[]): readonly Candidate[];
  /** Learns from what a request tells. */
  observe(note: Note): void;
  /** A transfer came to its right end: its source is well. */
  succeeded(source: string): void;
  readonly list: () => readonly SourceHealth[];
}

/** A file that is not there says nothing of the source that does not have it. */
const HARMLESS: ReadonlySet<ErrorCode> = new Set(['SOURCE_MISSING', 'INTERNAL']);

/**
 * A breaker for each source. A failure opens it: the source cools down for a while that doubles from failure to failure and is
 * spread by jitter, so that not all requests come back at once. After that one request may try it (half open); its success
 * closes the breaker, its failure opens it for longer. Sources are never excluded: where nothing else is left they are tried.
 */
export const createHealth = ({
  cooldown,
  cooldownLimit,
  random,
  scheduler = asyncScheduler,
}: HealthOptions): Health => {
  const known = new Map<string, SourceHealth>();

  const isCooling = ({ source }: Candidate): boolean => {
    const health = known.get(source);
    if (!health || health.state === 'well') return false;
    return health.state === 'trial' || scheduler.now() < (health.until ?? 0);
  };

  const failed = (source: string, { code, message, retryAfter }: StreamError) => {
    const failures = (known.get(source)?.failures ?? 0) + 1;
    const wait = Math.min(cooldownLimit, cooldown * 2 ** (failures - 1)) * (0.5 + random() / 2);
    const until = scheduler.now() + Math.max(wait, retryAfter ?? 0);
    known.set(source, { source, state: 'cooling', failures, until, lastError: { code, message } });
  };

  return {
    order: (candidates) => {
      const cooling = candidates.filter(isCooling);
      return cooling.length === 0 ? candidates : [...candidates.filter((one) => !cooling.includes(one)), ...cooling];
    },
    observe: (note) => {
      if (note.note === 'recorded') return;
      const { source } = note.candidate;
      const health = known.get(source);
      if (note.note === 'failed' && !HARMLESS.has(note.error.code)) failed(source, note.error);
      else if (note.note === 'attempt' && health?.state === 'cooling' && !isCooling(note.candidate))
        known.set(source, { ...health, state: 'trial' });
    },
    succeeded: (source) => {
      known.delete(source);
    },
    list: () => [...known.values()],
  };
};
