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
  type Policy,
  type StreamRequest,
  toStreamError,
} from '../../model/index.ts';
import { hedge } from '../../operators/hedge.ts';
import type { Health } from '../health/health.ts';
import type { Start } from '../transfer.ts';
import { algorithmFor } from '../verify.ts';
import { attempt } from './attempt.ts';
import { begin } from './begin.ts';
import type { Lengths } from './lengths.ts';
import { nextAttempt } from './next-attempt.ts';
import {
  afterEvent,
  afterFailure,
  beginning,
  type Failure,
  needsNoMore,
  type Progress,
  phaseOf,
  summary,
} from './progress.ts';
import { resume } from './resume.ts';
import { verifyBeforeHead } from './verify-before-head.ts';
import { wanted } from './wanted.ts';
import { withLength } from './with-length.ts';

interface AttemptsDeps {
  readonly open: OpenSource;
  readonly newDigest: NewDigest;
  /** Asked for each chunk: whether it must carry its digest. */
  readonly mayFallBehind?: () => boolean;
  readonly policy: Policy;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  readonly health?: Pick<Health, 'usualHead'>;
  readonly lengths?: Lengths;
  /** The clock of all waiting. Default: that of RxJS. */
  readonly scheduler?: SchedulerLike;
}

type Event = Head | Chunk | Note;

/** A request under way. */
interface Run {
  readonly request: StreamRequest;
  readonly deps: AttemptsDeps;
  progress: Progress;
}

/** A failed attempt before it is part of the progress, as it is thrown. */
type Lost = Omit<Failure, 'sent'>;

/**
 * Tries the candidates until the body is complete. Before the head, any failure leads to the next
 * candidate, and the client receives nothing of the failed one. After the head, the body continues
 * at the exact byte, from the same source or from one with the same content. A `start` continues a
 * response in the same way, without a head.
 *
 * Emits one head, the chunks of one complete body, and notes. Errors with the failure of the only
 * candidate, or with the most specific one of several. Unsubscribing closes the open source.
 */
export const attempts = (
  request: StreamRequest,
  deps: AttemptsDeps,
  start?: Start,
): OperatorFunction<readonly Candidate[], Event> =>
  mergeMap((candidates) =>
    defer(() => {
      const run: Run = { request, deps, progress: beginning(candidates, start) };
      return concat(
        of({ type: 'found', candidates } as const),
        defer(() => proceed(run)),
      );
    }),
  );

/** The next attempt, and after its failure the one after that. */
const proceed = (run: Run): Observable<Event> => {
  const { policy, random, scheduler = asyncScheduler } = run.deps;
  const next = nextAttempt(run.progress, policy, random);
  if (!next) return throwError(() => summary(run.progress));
  const step = defer(() => hedged(run, next.candidate)).pipe(catchError((lost: Lost) => recover(run, lost)));
  return next.wait > 0 ? timer(next.wait, scheduler).pipe(mergeMap(() => step)) : step;
};

const recover = (run: Run, lost: Lost): Observable<Event> =>
  needsNoMore(run.progress)
    ? EMPTY
    : concat(
        of(noteOf(run, lost)),
        defer(() => proceed(run)),
      );

const noteOf = (run: Run, lost: Lost): Note => {
  const { progress } = run;
  run.progress = afterFailure(progress, lost);
  const { candidate, error } = lost;
  return { type: 'failed', candidate, error, phase: phaseOf(progress), sent: progress.sent };
};

/** An attempt, with a second one if hedging is on and the head of the first takes unusually long. */
const hedged = (run: Run, candidate: Candidate): Observable<Event> => {
  const { policy, random, health, scheduler } = run.deps;
  const { progress } = run;
  const first = attemptAt(run, candidate);
  const usual = policy.hedge && !progress.soFar ? health?.usualHead(candidate.source) : undefined;
  if (usual === undefined) return first;
  const others = progress.candidates.filter((other) => other !== candidate && !other.outdated);
  const rival = nextAttempt({ ...progress, candidates: others }, policy, random);
  if (!rival || rival.wait > 0) return first;
  return hedge({
    first,
    second: attemptAt(run, rival.candidate),
    after: usual,
    wins: ({ type }) => type === 'head',
    aside: (lost) => noteOf(run, lost as Lost),
    scheduler,
  });
};

/** One attempt. Errors with a `Lost`. */
const attemptAt = (run: Run, candidate: Candidate): Observable<Event> =>
  defer(() => {
    const ask = askOf(run, candidate);
    const from = run.progress.sent;
    return concat(
      of<Note>({ type: 'attempt', candidate, from: ask.from }),
      defer(() => bodyOf(run, candidate, ask)),
    ).pipe(
      catchError((thrown: unknown) => throwError((): Lost => ({ candidate, error: toStreamError(thrown), from }))),
    );
  });

const askOf = ({ request, deps, progress: { soFar, sent, undigested } }: Run, candidate: Candidate): AskedBytes => {
  if (soFar) {
    const checked = candidate.blocks !== undefined;
    // Only a digest of the source's whole content can prove its last bytes.
    if (undigested && soFar.whole && algorithmFor(candidate, { checked })) return { from: 0 };
    const ifRange = isSame(soFar.candidate, candidate) ? soFar.etag : undefined;
    return { from: soFar.first + sent, last: soFar.last, ifRange };
  }
  const { range, ifRange } = wanted(request, candidate.entry);
  // A part alone cannot be verified. If the whole is small, the part is cut from it.
  if (range && isSmall(candidate, deps.policy)) return { from: 0 };
  return { from: range?.first ?? 0, last: range?.last, ifRange };
};

const bodyOf = (run: Run, candidate: Candidate, ask: AskedBytes): Observable<Event> => {
  const { request, deps } = run;
  const { soFar, sent, undigested } = run.progress;
  const newDigest = undigested ? deps.newDigest : undefined;
  const body: Observable<Event> = soFar
    ? attempt(request, candidate, ask, deps, soFar.total).pipe(resume(candidate, soFar, sent, newDigest))
    : withLength(request, candidate, deps, (request) =>
        attempt(request, candidate, ask, deps).pipe(verifyBeforeHead(request, candidate, deps)),
      ).pipe(begin(request, candidate, wanted(request, candidate.entry), deps.policy));
  return body.pipe(
    tap((event) => {
      run.progress = afterEvent(run.progress, event);
    }),
  );
};

const isSmall = ({ entry: { checksum, size } }: Candidate, { verifyWholeBelow }: Policy): boolean =>
  checksum !== undefined && size !== undefined && size <= verifyWholeBelow;
