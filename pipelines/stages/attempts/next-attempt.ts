import {
  type Candidate,
  type ErrorCode,
  isCopy,
  mayContinue,
  type Policy,
  type Remedy,
  remedyOf,
} from '../../model/index.ts';
import { backOff } from '../../operators/back-off.ts';
import type { Failure, Progress } from './progress.ts';

export interface Next {
  readonly candidate: Candidate;
  /** Milliseconds to wait before the attempt. */
  readonly wait: number;
}

/** All that the choice depends on. */
type History = Pick<Progress, 'candidates' | 'failures' | 'soFar'>;

type Limits = Pick<Policy, 'attempts' | 'attemptsPerCandidate' | 'retryWait' | 'retryWaitLimit'>;

/**
 * The next candidate and the wait before it; undefined if the request must fail. The only place of
 * this rule:
 * 1. the candidate that was just sending, at once, if only its connection broke and every untried
 *    candidate keeps its turn;
 * 2. the first untried candidate, at once;
 * 3. the least tried candidate whose failure may pass, after a back-off or the time that it asked
 *    for. Failures before its last new byte count less, but they count: a source that delivers a few
 *    bytes each time must not take all attempts.
 *
 * Outdated candidates follow when no other remains, or, in a hurry, when every other one was tried once.
 * They are not used if another candidate had the content but could not serve this request.
 */
export const nextAttempt = (
  progress: History,
  limits: Limits,
  random: () => number,
  hurry = false,
): Next | undefined => {
  const { candidates, failures } = progress;
  if (failures.length >= limits.attempts) return undefined;

  // No other source has to be asked for the part.
  if (failures.at(-1)?.error.code === 'NEEDS_WHOLE') return undefined;

  // A verified copy has the exact length of the content, so no other source can deliver the bytes.
  if (failures.some(({ candidate, error }) => isCopy(candidate) && error.code === 'UNSATISFIABLE')) return undefined;

  const current = candidates.filter((one) => !one.outdated);
  const settled = failures.some(({ candidate, error }) => !candidate.outdated && SETTLED.has(error.code));
  const isUntried = (one: Candidate) => failures.every(({ candidate }) => candidate !== one);
  const best = hurry && !settled ? current.filter(isUntried) : current;
  return among(best, progress, limits, random) ?? (settled ? undefined : among(candidates, progress, limits, random));
};

/**
 * The content exists, but lacks the requested bytes, or the length that this client needs. Other
 * content would be a wrong answer.
 */
const SETTLED: ReadonlySet<ErrorCode> = new Set(['UNSATISFIABLE', 'LENGTH_UNKNOWN']);

const among = (
  candidates: readonly Candidate[],
  { failures, soFar }: History,
  limits: Limits,
  random: () => number,
): Next | undefined => {
  const last = failures.at(-1);
  const usable = candidates.filter((candidate) => soFar === undefined || mayContinue(candidate, soFar));
  const fruitless = (candidate: Candidate) => failuresInARow(candidate, failures);
  const count = (candidate: Candidate) => failures.filter((failure) => failure.candidate === candidate).length;
  const failed = (candidate: Candidate) => failures.findLast((failure) => failure.candidate === candidate);
  const mayPass = (candidate: Candidate, ...remedies: Remedy[]) => {
    const failure = failed(candidate);
    return (
      failure !== undefined &&
      remedies.includes(remedyOf(failure.error)) &&
      fruitless(candidate) < limits.attemptsPerCandidate &&
      (failure.error.retryAfter ?? 0) <= limits.retryWaitLimit
    );
  };

  const untried = usable.filter((candidate) => !failed(candidate));
  const mayResume = failures.length + untried.length < limits.attempts;
  if (mayResume && last && last.sent > last.from && usable.includes(last.candidate) && mayPass(last.candidate, 'same'))
    return { candidate: last.candidate, wait: 0 };

  if (untried[0]) return { candidate: untried[0], wait: 0 };

  const [again] = usable
    .filter((candidate) => mayPass(candidate, 'same', 'later'))
    .sort((a, b) => fruitless(a) - fruitless(b) || count(a) - count(b));
  if (!again) return undefined;
  const { retryWait: wait, retryWaitLimit: waitLimit } = limits;
  const pause = backOff(Math.max(0, fruitless(again) - 1), { wait, waitLimit, random });
  return { candidate: again, wait: failed(again)?.error.retryAfter ?? pause };
};

/** Failures of a candidate since it last delivered a new byte, that failure included. */
const failuresInARow = (candidate: Candidate, failures: readonly Failure[]): number => {
  const own = failures.filter((failure) => failure.candidate === candidate);
  const fruitful = own.findLastIndex((failure) => failure.sent > failure.from);
  return own.length - Math.max(0, fruitful);
};
