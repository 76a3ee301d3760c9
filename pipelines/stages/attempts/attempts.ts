import { asyncScheduler, Observable, Subscriber } from 'rxjs';
import type { Candidate, Note, StreamRequest } from '../../model/index.ts';
import { hedge } from '../../operators/hedge.ts';
import { operate, type Stage } from '../../operators/operate.ts';
import type { Health } from '../health/health.ts';
import type { Start, TransferEvent } from '../transfer.ts';
import { type BodyDeps, bodyFrom, type Lost, type Run } from './body-from.ts';
import { nextAttempt } from './next-attempt.ts';
import { afterFailure, beginning, needsNoMore, phaseOf, summary } from './progress.ts';

interface AttemptsDeps extends BodyDeps {
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  readonly health?: BodyDeps['health'] & Pick<Health, 'usualHead'>;
}

/** A run of attempts, all of which emit to `out`. */
interface Attempts extends Run {
  readonly deps: AttemptsDeps;
  readonly out: Subscriber<TransferEvent>;
  /** On the clock of the scheduler. */
  readonly began: number;
}

/**
 * Tries the candidates until the body is complete. Before the head, any failure leads to the next
 * candidate, and the client receives nothing of the failed one. After the head, the body continues
 * at the exact byte, from the same source or from one with the same content. A `start` continues a
 * response in the same way, without a head.
 *
 * Emits one head, the chunks of one complete body, and notes. Errors with the failure of the only
 * candidate, or with the most specific one of several. Unsubscribing closes the open source. An
 * attempt that succeeds costs one subscription, the one to its source.
 */
export const attempts = (
  request: StreamRequest,
  deps: AttemptsDeps,
  start?: Start,
): Stage<readonly Candidate[], TransferEvent> =>
  operate((out, valve) => {
    let begun = false;
    return {
      next: (candidates) => {
        begun = true;
        out.next({ type: 'found', candidates });
        const began = (deps.scheduler ?? asyncScheduler).now();
        proceed({ request, deps, out, valve, began, progress: beginning(candidates, start) });
      },
      complete: () => {
        if (!begun) out.complete();
      },
    };
  });

/** The next attempt, and after its failure the one after that. */
const proceed = (run: Attempts): void => {
  const { out, deps, progress } = run;
  const next = nextAttempt(progress, deps.policy, deps.random, isLate(run));
  // After the first failure an attempt that could not answer in time would only be blamed.
  if (!next || (progress.failures.length > 0 && next.wait >= timeLeft(run))) out.error(summary(progress));
  else if (next.wait === 0) step(run, next.candidate);
  else out.add((deps.scheduler ?? asyncScheduler).schedule(() => step(run, next.candidate), next.wait));
};

/** Milliseconds until the head must have been sent; `Infinity` if nothing says so, or if it was sent. */
const timeLeft = ({ request: { answerBy }, deps: { scheduler = asyncScheduler }, progress }: Attempts): number =>
  answerBy === undefined || progress.soFar ? Number.POSITIVE_INFINITY : answerBy - scheduler.now();

/** Whether half of the time for a head is over: what is left belongs to sources that were not asked. */
const isLate = (run: Attempts): boolean => {
  const { began, request, progress } = run;
  if (request.answerBy === undefined || progress.soFar) return false;
  return 2 * timeLeft(run) <= request.answerBy - began;
};

/**
 * When a candidate must have answered: half of the time left is kept for others, if any is untried.
 * A silent source then never takes the time of one that would have answered.
 */
const patience = (run: Attempts, candidate: Candidate): number => {
  const left = timeLeft(run);
  const { candidates, failures } = run.progress;
  const isLast = candidates.every((one) => one === candidate || failures.some((failed) => failed.candidate === one));
  return (run.deps.scheduler ?? asyncScheduler).now() + (isLast ? left : left / 2);
};

const step = (run: Attempts, candidate: Candidate): void => {
  const { out } = run;
  const one = new Subscriber<TransferEvent>({
    next: (event) => out.next(event),
    complete: () => out.complete(),
    error: (lost: Lost) => {
      // The failed source is closed before another one is opened.
      one.unsubscribe();
      try {
        recover(run, lost);
      } catch (error) {
        out.error(error);
      }
    },
  });
  out.add(one);
  hedged(run, candidate, one);
};

const recover = (run: Attempts, lost: Lost): void => {
  if (needsNoMore(run.progress)) run.out.complete();
  else {
    run.out.next(noteOf(run, lost));
    proceed(run);
  }
};

const noteOf = (run: Attempts, lost: Lost): Note => {
  const { progress } = run;
  run.progress = afterFailure(progress, lost);
  const { candidate, error } = lost;
  return { type: 'failed', candidate, error, phase: phaseOf(progress), sent: progress.sent };
};

/** An attempt, with a second one if hedging is on and the head of the first takes unusually long. */
const hedged = (run: Attempts, candidate: Candidate, into: Subscriber<TransferEvent>): void => {
  const rival = rivalOf(run, candidate);
  const by = patience(run, candidate);
  if (!rival) {
    bodyFrom(run, candidate, into, by);
    return;
  }
  const asking = (one: Candidate) => () => new Observable<TransferEvent>((out) => bodyFrom(run, one, out, by));
  hedge({
    first: asking(candidate),
    second: asking(rival.candidate),
    after: rival.after,
    wins: ({ type }) => type === 'head',
    aside: (lost) => noteOf(run, lost as Lost),
    scheduler: run.deps.scheduler,
  })(run.valve).subscribe(into);
};

/** The candidate to ask in addition, after some milliseconds. */
const rivalOf = (
  { deps: { policy, random, health }, progress }: Attempts,
  candidate: Candidate,
): { readonly candidate: Candidate; readonly after: number } | undefined => {
  const after = policy.hedge && !progress.soFar ? health?.usualHead(candidate.source) : undefined;
  if (after === undefined) return undefined;
  const others = progress.candidates.filter((other) => other !== candidate && !other.outdated);
  const rival = nextAttempt({ ...progress, candidates: others }, policy, random);
  return rival && rival.wait === 0 ? { candidate: rival.candidate, after } : undefined;
};
