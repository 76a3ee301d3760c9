import { asyncScheduler, BehaviorSubject, type Observable, type SchedulerLike } from 'rxjs';
import {
  type Candidate,
  type ErrorCode,
  type Note,
  type SourceId,
  type StreamError,
  sourceName,
} from '../../model/index.ts';
import { backOff } from '../../operators/back-off.ts';

interface HealthOptions {
  /** Milliseconds that a source cools down after its first failure; doubled by each further one, with jitter. */
  readonly cooldown: number;
  readonly cooldownLimit: number;
  readonly random: () => number;
  readonly scheduler?: SchedulerLike;
}

/** A source that failed and has not proven itself since: `cooling`, tried last; or on `trial` by one request, for the others cooling still. */
export interface SourceHealth {
  readonly source: SourceId;
  readonly state: 'cooling' | 'trial';
  /** Failures in a row. */
  readonly failures: number;
  /** When the next trial may be; milliseconds on the scheduler's clock. */
  readonly until: number;
  readonly lastError: { readonly code: ErrorCode; readonly message: string };
}

/** The memory of how sources behaved, shared by all requests. */
export interface Health {
  /** The candidates, those of cooling sources last, and behind them those that lied; none is left out, and the order is else kept. */
  order(candidates: readonly Candidate[]): readonly Candidate[];
  /** Learns from a request's notes: who is tried, who failed. */
  observe(note: Note): void;
  /** A source's head came, so many milliseconds after it was asked. */
  answered(source: SourceId, took: number): void;
  /** A transfer came to its right end: its source is well. */
  succeeded(source: SourceId): void;
  /** Milliseconds that 95 of 100 of a source's recent heads took at most; nothing before there were enough of them. */
  usualHead(source: SourceId): number | undefined;
  /** The sources that are not well, now and after each change. Never completes. */
  readonly unhealthy: Observable<readonly SourceHealth[]>;
}

/** Heads remembered of each source, and how many make a rule. */
const REMEMBERED = 64;
const ENOUGH = 20;

/** URLs remembered because their content was wrong. */
const WRONG_REMEMBERED = 1000;

/** A file that is not there, or has none of the bytes, says nothing of the source that does not have it, nor do our own limits. */
const HARMLESS: ReadonlySet<ErrorCode> = new Set([
  'SOURCE_MISSING',
  'UNSATISFIABLE',
  'LENGTH_UNKNOWN',
  'SOURCE_FULL',
  'CLIENT_STUCK',
  'INTERNAL',
]);

/**
 * A breaker for each source. A failure opens it: the source cools down for a while that doubles from failure to failure and is
 * spread by jitter, so that not all requests come back at once. After that one request may try it (half open); its success
 * closes the breaker, its failure opens it for longer. Sources are never excluded: where nothing else is left they are tried.
 * Wrong content is remembered by its URL, for as long as a source cools down at most: it may be the only thing wrong with its source, and
 * where all sources are cooling down the next request must still begin with another one.
 */
export const createHealth = ({
  cooldown,
  cooldownLimit,
  random,
  scheduler = asyncScheduler,
}: HealthOptions): Health => {
  const known = new Map<string, SourceHealth>();
  const heads = new Map<string, number[]>();
  const wrongContent = new Map<string, number>();
  const unhealthy = new BehaviorSubject<readonly SourceHealth[]>([]);

  const isCooling = ({ source }: Candidate): boolean => {
    const health = known.get(sourceName(source));
    return health !== undefined && scheduler.now() < health.until;
  };

  const sentWrongContent = ({ url }: Candidate): boolean => scheduler.now() < (wrongContent.get(url) ?? 0);

  const rememberWrongContent = ({ url }: Candidate) => {
    wrongContent.delete(url);
    wrongContent.set(url, scheduler.now() + cooldownLimit);
    const [oldest] = wrongContent.keys();
    if (wrongContent.size > WRONG_REMEMBERED && oldest !== undefined) wrongContent.delete(oldest);
  };

  const remember = (health: SourceHealth) => {
    known.set(sourceName(health.source), health);
    unhealthy.next([...known.values()]);
  };

  const coolingTime = (failures: number) => backOff(failures - 1, { wait: cooldown, waitLimit: cooldownLimit, random });

  const failed = (source: SourceId, { code, message, retryAfter }: StreamError) => {
    const failures = (known.get(sourceName(source))?.failures ?? 0) + 1;
    const until = scheduler.now() + Math.max(coolingTime(failures), retryAfter ?? 0);
    remember({ source, state: 'cooling', failures, until, lastError: { code, message } });
  };

  return {
    order: (candidates) => {
      const rank = (candidate: Candidate) => Number(isCooling(candidate)) + 2 * Number(sentWrongContent(candidate));
      return candidates.toSorted((a, b) => rank(a) - rank(b));
    },
    observe: (note) => {
      if (!('candidate' in note)) return;
      const { source } = note.candidate;
      const health = known.get(sourceName(source));
      if (note.type === 'failed' && note.error.code === 'WRONG_CHECKSUM') rememberWrongContent(note.candidate);
      if (note.type === 'failed' && !HARMLESS.has(note.error.code)) failed(source, note.error);
      else if (note.type === 'attempt' && health && !isCooling(note.candidate))
        // Should the trial never come to an end (its client may leave), the next one follows after as long again.
        remember({ ...health, state: 'trial', until: scheduler.now() + coolingTime(health.failures) });
    },
    answered: (source, took) => {
      const times = heads.get(sourceName(source)) ?? [];
      heads.set(sourceName(source), [...times.slice(1 - REMEMBERED), took]);
    },
    succeeded: (source) => {
      if (known.delete(sourceName(source))) unhealthy.next([...known.values()]);
    },
    usualHead: (source) => {
      const times = heads.get(sourceName(source)) ?? [];
      if (times.length < ENOUGH) return undefined;
      return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)];
    },
    unhealthy,
  };
};
