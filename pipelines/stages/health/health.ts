import { asyncScheduler, type Observable, type SchedulerLike, Subject } from 'rxjs';
import {
  type Candidate,
  type ErrorCode,
  type Head,
  hasOtherBytes,
  isWrongCopy,
  type Note,
  type SourceHead,
  type SourceId,
  type StreamError,
  sourceName,
} from '../../model/index.ts';
import { backOff } from '../../operators/back-off.ts';
import { createRanges } from './ranges.ts';
import { createRecent } from './recent.ts';
import { createWrongContent } from './wrong-content.ts';

interface HealthOptions {
  /**
   * Milliseconds that a source cools down after its first failure. Each further failure doubles the
   * time, with jitter. This and the limit are read at each failure: they may change.
   */
  readonly cooldown: number;
  readonly cooldownLimit: number;
  readonly random: () => number;
  readonly scheduler?: SchedulerLike;
}

/**
 * A source that failed and has not recovered. `cooling`: it is tried last. `trial`: one request
 * tries it while the others still treat it as cooling.
 */
export interface SourceHealth {
  readonly source: SourceId;
  readonly state: 'cooling' | 'trial';
  /** Failures in a row. */
  readonly failures: number;
  /** When the next trial may begin, in milliseconds on the clock of the scheduler. */
  readonly until: number;
  readonly lastError: { readonly code: ErrorCode; readonly message: string };
}

/** A change of one source: it failed, is tried again, or recovered. */
export interface HealthChange {
  readonly type: 'failed' | 'trial' | 'recovered';
  /** The state after the change; of a source that recovered, the last one before it. */
  readonly health: SourceHealth;
}

/** The past behaviour of sources, shared by all requests. */
export interface Health {
  /**
   * Sorts the candidates: those of cooling sources last, and after them those that sent wrong
   * content. None is left out, and the order is otherwise kept.
   */
  order(candidates: readonly Candidate[]): readonly Candidate[];
  /** Whether a head shows content that was found to be compressed unasked. */
  wasCoded(candidate: Candidate, head: SourceHead): boolean;
  /**
   * Whether a head shows content that was found wrong: the same state at the same URL, for the same
   * checksum. True until that content has cooled down.
   */
  isKnownWrong(candidate: Candidate, head: SourceHead): boolean;
  /**
   * Whether parts of a candidate's content are cut from the whole, since its URL was found to send
   * none. A URL that announces nothing is asked for one part first.
   */
  needsWhole(candidate: Candidate): boolean;
  /** Whether a candidate's source was found to refuse HEAD, although it answers GET. */
  refusesHead(candidate: Candidate): boolean;
  /** Remembers for a while that a candidate's source refuses HEAD. */
  foundToRefuseHead(candidate: Candidate): void;
  /** Records the head of a response: whether its source sends parts. */
  began(head: Head): void;
  /** Whether the content at the candidate's URL was found wrong lately. It may be right again. */
  isSuspect(candidate: Candidate): boolean;
  /** Records the notes of a request: which source is tried, which failed. */
  observe(note: Note): void;
  /** Records that a source's head came `took` milliseconds after its request. */
  answered(source: SourceId, took: number): void;
  /** Records a complete transfer: its source has recovered. */
  succeeded(source: SourceId): void;
  /**
   * The 95th percentile of the recent head times of a source, in milliseconds. Undefined until
   * enough are known.
   */
  usualHead(source: SourceId): number | undefined;
  /** Records a change that another process found. Emits it, too. */
  adopt(change: HealthChange): void;
  /** Emits each change, whatever the number of sources. Never completes. */
  readonly changes: Observable<HealthChange>;
  /** The unhealthy sources, the longest unchanged first. */
  unhealthy(): readonly SourceHealth[];
}

/**
 * Sources remembered as unhealthy, those whose head times are, and those that refuse HEAD. One that
 * is forgotten counts as healthy, like a new one.
 */
const SOURCES_REMEMBERED = 4096;

/** Head times remembered for each source, and the number from which they count. */
const REMEMBERED = 64;
const ENOUGH = 20;

/** The last head times of a source, in any order; the next one replaces the one at `next`. */
interface HeadTimes {
  readonly last: number[];
  next: number;
}

/**
 * Failures that do not count against a source: it lacks the file or the bytes, or the limit is our
 * own.
 */
const HARMLESS: ReadonlySet<ErrorCode> = new Set([
  'SOURCE_MISSING',
  'IS_FOLDER',
  'UNSATISFIABLE',
  'NEEDS_WHOLE',
  'LENGTH_UNKNOWN',
  // It counted when it was found.
  'KNOWN_WRONG',
  // It is decoded from then on.
  'WRONG_CODING',
  'SOURCE_FULL',
  'ANSWER_TIMEOUT',
  'CLIENT_STUCK',
  'INTERNAL',
]);

/** What a source has now says nothing against it if an earlier revision was asked for. */
const isHarmless = ({ candidate, error }: Extract<Note, { type: 'failed' }>): boolean =>
  HARMLESS.has(error.code) || (candidate.entry.asOf !== undefined && hasOtherBytes(error));

const FOUND_WRONG: ReadonlySet<ErrorCode> = new Set(['WRONG_CHECKSUM', 'WRONG_CODING']);

/**
 * A circuit breaker for each source. A failure opens it: the source cools down for a time that
 * doubles with each failure. Jitter spreads that time, so that not all requests come back at once.
 * After that one request may try the source (half open). Success closes the breaker, failure opens
 * it for longer. Sources are never excluded: if no other source remains, they are tried.
 *
 * Wrong content is remembered by its URL, for at most `cooldownLimit`. The rest of its source may
 * be right. If all sources are cooling down, the next request must still begin with another one.
 * Until that content has changed or cooled down, it is refused: a transfer would be in vain.
 */
export const createHealth = (options: HealthOptions): Health => {
  const { random, scheduler = asyncScheduler } = options;
  const known = createRecent<string, SourceHealth>(SOURCES_REMEMBERED);
  const heads = createRecent<string, HeadTimes>(SOURCES_REMEMBERED);
  const changes = new Subject<HealthChange>();

  const isCooling = ({ source }: Candidate): boolean => {
    const health = known.get(sourceName(source));
    return health !== undefined && scheduler.now() < health.until;
  };

  const remember = (type: HealthChange['type'], health: SourceHealth) => {
    known.set(sourceName(health.source), health);
    changes.next({ type, health });
  };

  const recovered = (health: SourceHealth) => {
    known.delete(sourceName(health.source));
    changes.next({ type: 'recovered', health });
  };

  const coolingTime = (failures: number) =>
    backOff(failures - 1, { wait: options.cooldown, waitLimit: options.cooldownLimit, random });
  const lastFor = () => options.cooldownLimit;
  const wrongContent = createWrongContent({ coolingTime, lastFor, scheduler });

  const refusingHead = createRecent<string, number>(SOURCES_REMEMBERED);
  const ranges = createRanges({ lastFor, askedFor: () => options.cooldown, scheduler });

  const failed = (source: SourceId, { code, message, retryAfter }: StreamError) => {
    const failures = (known.get(sourceName(source))?.failures ?? 0) + 1;
    const until = scheduler.now() + Math.max(coolingTime(failures), retryAfter ?? 0);
    remember('failed', { source, state: 'cooling', failures, until, lastError: { code, message } });
  };

  return {
    order: (candidates) => {
      if (candidates.length < 2) return candidates;
      const rank = (candidate: Candidate) =>
        Number(isCooling(candidate)) + 2 * Number(wrongContent.isSuspect(candidate));
      return candidates.toSorted((a, b) => rank(a) - rank(b));
    },
    wasCoded: wrongContent.wasCoded,
    isKnownWrong: wrongContent.isKnown,
    needsWhole: ranges.needsWhole,
    refusesHead: ({ source }) => scheduler.now() < (refusingHead.get(sourceName(source)) ?? Number.NEGATIVE_INFINITY),
    foundToRefuseHead: ({ source }) => refusingHead.set(sourceName(source), scheduler.now() + options.cooldownLimit),
    began: ranges.answered,
    isSuspect: wrongContent.isSuspect,
    observe: (note) => {
      if (!('candidate' in note)) return;
      // The store stops offering it, and offers the right copy that takes its place.
      if (note.type === 'failed' && isWrongCopy(note.candidate, note.error)) return;
      const { source } = note.candidate;
      const health = known.get(sourceName(source));
      if (note.type === 'failed') ranges.failed(note.candidate, note.error.code === 'NEEDS_WHOLE');
      if (note.type === 'failed' && FOUND_WRONG.has(note.error.code)) wrongContent.found(note.candidate, note.error);
      if (note.type === 'failed' && !isHarmless(note)) failed(source, note.error);
      else if (note.type === 'attempt' && health && !isCooling(note.candidate))
        // If the trial never ends (its client may leave), the next one may begin after the same
        // time again.
        remember('trial', { ...health, state: 'trial', until: scheduler.now() + coolingTime(health.failures) });
    },
    answered: (source, took) => {
      const name = sourceName(source);
      const times = heads.get(name) ?? { last: [], next: 0 };
      times.last[times.next] = took;
      times.next = (times.next + 1) % REMEMBERED;
      heads.set(name, times);
    },
    succeeded: (source) => {
      const health = known.get(sourceName(source));
      if (health) recovered(health);
    },
    usualHead: (source) => {
      const times = heads.get(sourceName(source))?.last ?? [];
      if (times.length < ENOUGH) return undefined;
      return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.95)];
    },
    adopt: ({ type, health }) => {
      if (type === 'recovered') recovered(health);
      else remember(type, health);
    },
    changes,
    unhealthy: () => [...known.values()],
  };
};
