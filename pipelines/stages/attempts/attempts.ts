import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  mergeMap,
  type Observable,
  type OperatorFunction,
  of,
  type SchedulerLike,
  tap,
  throwError,
  timer,
} from 'rxjs';
import {
  type AskedBytes,
  type Candidate,
  type Chunk,
  type Head,
  isSame,
  type NewDigest,
  type Note,
  type OpenSource,
  type Phase,
  type Policy,
  StreamError,
  type StreamRequest,
  toStreamError,
} from '../../model/index.ts';
import { hedge } from '../../operators/hedge.ts';
import type { Health } from '../health/health.ts';
import type { Start } from '../transfer.ts';
import { attempt } from './attempt.ts';
import { begin } from './begin.ts';
import type { Lengths } from './lengths.ts';
import { type Failure, type Next, nextAttempt, type ResponseSoFar } from './next-attempt.ts';
import { resume } from './resume.ts';
import { verifyBeforeHead } from './verify-before-head.ts';
import { wanted } from './wanted.ts';
import { withLength } from './with-length.ts';

interface AttemptsDeps {
  readonly open: OpenSource;
  readonly newDigest: NewDigest;
  /** Whether a chunk is to come with its digest, asked for each. */
  readonly mayFallBehind?: () => boolean;
  readonly policy: Policy;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  readonly health?: Pick<Health, 'usualHead'>;
  readonly lengths?: Lengths;
  /** The clock of all waiting. Default: RxJS's own. */
  readonly scheduler?: SchedulerLike;
}

type Event = Head | Chunk | Note;

/**
 * Tries the candidates until the body is through: before the head any failure leads to the next one and nothing of the
 * failed one leaks; after it the body goes on at the exact byte, from the same source or from one with the same content.
 * Emits one head, the chunks of one whole body, and notes of what happened. Errors with the failure when there was one
 * candidate, with the most telling one when there were more. Unsubscribing leaves the source that is open.
 * From a start on it goes on like after a failure, with no head of its own.
 */
export const attempts = (
  request: StreamRequest,
  deps: AttemptsDeps,
  start?: Start,
): OperatorFunction<readonly Candidate[], Event> =>
  mergeMap((candidates) =>
    defer(() => {
      const { policy, random, health, scheduler = asyncScheduler } = deps;
      const failures: Failure[] = [];
      let soFar: ResponseSoFar | undefined = start?.head;
      let sent = start?.sent ?? 0;

      /** Whatever is to be tried next, and after its failure whatever then. */
      const onward = (): Observable<Event> => {
        const next = nextAttempt({ candidates, failures, soFar }, policy, random);
        if (!next) return throwError(() => summary(failures));
        const step = defer(() => hedged(next)).pipe(catchError(recover));
        return next.wait > 0 ? timer(next.wait, scheduler).pipe(mergeMap(() => step)) : step;
      };

      const recover = (lost: Lost): Observable<Event> => {
        // All bytes were there, only the source's good-bye was missing: the checksum is the better witness.
        if (soFar?.whole && soFar.total === sent && sent > 0 && soFar.candidate.entry.checksum) return EMPTY;
        return concat(of(noteOf(lost)), onward());
      };

      const noteOf = ({ candidate, error, from }: Lost): Note => {
        const phase: Phase = sent > 0 ? 'mid-body' : soFar ? 'before-first-byte' : 'before-head';
        failures.push({ candidate, error, from, sent });
        return { type: 'failed', candidate, error, phase, sent };
      };

      /** The attempt, beside a second one where hedging is wanted and the first one's head takes unusually long. */
      const hedged = ({ candidate }: Next): Observable<Event> => {
        const first = attemptAt(candidate);
        const usual = policy.hedge && !soFar ? health?.usualHead(candidate.source) : undefined;
        const others = candidates.filter((other) => other !== candidate && !other.outdated);
        const rival =
          usual === undefined ? undefined : nextAttempt({ candidates: others, failures, soFar }, policy, random);
        if (usual === undefined || !rival || rival.wait > 0) return first;
        const wins = ({ type }: Event) => type === 'head';
        return hedge({
          first,
          second: attemptAt(rival.candidate),
          after: usual,
          wins,
          aside: (lost) => noteOf(lost as Lost),
          scheduler,
        });
      };

      const attemptAt = (candidate: Candidate): Observable<Event> =>
        defer(() => {
          const ask = askOf(candidate);
          const from = sent;
          const note: Note = { type: 'attempt', candidate, from: ask.from };
          return concat(
            of(note),
            defer(() => bodyOf(candidate, ask)),
          ).pipe(
            catchError((thrown: unknown) =>
              throwError((): Lost => ({ candidate, error: toStreamError(thrown), from })),
            ),
          );
        });

      const askOf = (candidate: Candidate): AskedBytes => {
        if (soFar) {
          const ifRange = isSame(soFar.candidate, candidate) ? soFar.etag : undefined;
          return { from: soFar.first + sent, last: soFar.last, ifRange };
        }
        const { range, ifRange } = wanted(request, candidate.entry);
        // A part cannot be checked by itself: it is cut from the whole, where that is small.
        if (range && isSmall(candidate, policy)) return { from: 0 };
        return { from: range?.first ?? 0, last: range?.last, ifRange };
      };

      const bodyOf = (candidate: Candidate, ask: AskedBytes): Observable<Event> => {
        const body: Observable<Event> = soFar
          ? attempt(request, candidate, ask, deps, soFar.total).pipe(resume(candidate, soFar, sent))
          : withLength(request, candidate, deps, (request) =>
              attempt(request, candidate, ask, deps).pipe(verifyBeforeHead(request, candidate, deps)),
            ).pipe(begin(request, candidate, wanted(request, candidate.entry), policy));
        return body.pipe(
          tap((event) => {
            if (event.type === 'chunk') sent += event.bytes.length;
            else if (event.type === 'head') soFar = event;
          }),
        );
      };

      return concat(of({ type: 'found', candidates } as const), defer(onward));
    }),
  );

/** An attempt's failure, thrown with whose it was. */
interface Lost {
  readonly candidate: Candidate;
  readonly error: StreamError;
  /** The byte at which it was to begin. */
  readonly from: number;
}

const isSmall = ({ entry: { checksum, size } }: Candidate, { verifyWholeBelow }: Policy): boolean =>
  checksum !== undefined && size !== undefined && size <= verifyWholeBelow;

/** Why the request failed: the failure itself, or, of several, the one that says most; missing bytes say little, missing files least. */
const summary = (failures: readonly Failure[]): StreamError => {
  // The length of other content says nothing of this one.
  const ofOthers = ({ candidate, error }: Failure) => candidate.outdated && error.code === 'UNSATISFIABLE';
  const own = failures.filter((failure) => !ofOthers(failure));
  const errors = (own.length > 0 ? own : failures).map(({ error }) => error);
  const telling =
    errors.findLast(({ code }) => code !== 'SOURCE_MISSING' && code !== 'UNSATISFIABLE') ??
    errors.findLast(({ code }) => code === 'UNSATISFIABLE') ??
    errors.at(-1);
  if (!telling) return new StreamError('OUT_OF_SOURCES', 'self', 'no attempt is allowed: attempts is 0');
  if (errors.length === 1) return telling;
  const messages = [...new Set(errors.map(({ message }) => message))].join('; ');
  const { code, source, sourceStatus, retryAfter, length } = telling;
  return new StreamError(code, source, `every source failed; ${messages}`, {
    cause: telling,
    sourceStatus,
    retryAfter,
    length,
  });
};
