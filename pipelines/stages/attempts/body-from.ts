import type { SchedulerLike, Subscriber } from 'rxjs';
import {
  type AskedBytes,
  type Candidate,
  isSame,
  type NewDigest,
  type OpenSource,
  type Policy,
  type SourceEvent,
  type StreamRequest,
  toStreamError,
} from '../../model/index.ts';
import { fuse } from '../../operators/fuse.ts';
import { operate, type Stage, through } from '../../operators/operate.ts';
import type { Valve } from '../../operators/valve.ts';
import type { Health } from '../health/health.ts';
import type { TransferEvent } from '../transfer.ts';
import { algorithmFor } from '../verify.ts';
import { type AttemptDeps, opened, type PlaceAtSource, placeFor, supervise } from './attempt.ts';
import { begin } from './begin.ts';
import type { Lengths } from './lengths.ts';
import { unlessOf } from './open-unless.ts';
import { needsWhole, partAlone } from './part-alone.ts';
import { afterEvent, type Failure, type Progress, type ResponseSoFar } from './progress.ts';
import { resume } from './resume.ts';
import { verifyBeforeHead } from './verify-before-head.ts';
import { wanted } from './wanted.ts';
import { lacksLength, withLength } from './with-length.ts';

export interface BodyDeps {
  readonly open: OpenSource;
  readonly newDigest: NewDigest;
  /** Asked for each chunk: whether it must carry its digest. */
  readonly mayFallBehind?: () => boolean;
  readonly policy: Policy;
  readonly lengths?: Lengths;
  readonly health?: AttemptDeps['health'] & Pick<Health, 'needsWhole'>;
  /** The clock of all waiting. Default: that of RxJS. */
  readonly scheduler?: SchedulerLike;
}

/** A request under way. */
export interface Run {
  readonly request: StreamRequest;
  readonly deps: BodyDeps;
  readonly valve: Valve;
  progress: Progress;
}

/** A failed attempt before it is part of the progress, as `bodyFrom` errors with it. */
export type Lost = Omit<Failure, 'sent'>;

/**
 * Begins or continues the response with the bytes of one candidate, and records the progress of the
 * run. Emits an `attempt` note, then the head or a `resumed` note, then chunks. Errors with a
 * `Lost`. A candidate that begins the response has until `by` for its first byte.
 */
export const bodyFrom = (run: Run, candidate: Candidate, out: Subscriber<TransferEvent>, by: number): void => {
  const ask = askOf(run, candidate);
  const from = run.progress.sent;
  const lost = (thrown: unknown): Lost => ({ candidate, error: toStreamError(thrown), from });
  const recorded = operate<TransferEvent, TransferEvent>((out) => ({
    next: (event) => {
      run.progress = afterEvent(run.progress, event);
      out.next(event);
    },
    error: (thrown) => out.error(lost(thrown)),
  }));
  out.next({ type: 'attempt', candidate, from: ask.from });
  if (out.closed) return;
  try {
    const { soFar } = run.progress;
    const place = placeFor(run.deps, () => out.next({ type: 'asked', candidate }));
    const body = soFar ? continued(run, candidate, ask, soFar, place) : begun(run, candidate, ask, place, by);
    body(recorded, out, run.valve);
  } catch (thrown) {
    out.error(lost(thrown));
  }
};

/** Emits the events of a response, through a last stage. */
type Body = (last: Stage<TransferEvent, TransferEvent>, out: Subscriber<TransferEvent>, valve: Valve) => void;

const begun = (
  { request, deps }: Run,
  candidate: Candidate,
  ask: AskedBytes,
  place: PlaceAtSource,
  by: number,
): Body => {
  const wants = wanted(request, candidate.entry);
  if (wants.range && candidate.entry.checksum && deps.health?.needsWhole(candidate))
    throw needsWhole(candidate, 'sends no parts');
  const begins = begin(request, candidate, wants, deps.policy);
  const source = opened(request, candidate, ask, deps, place);
  const judged = fuse(
    supervise(request, candidate, deps, place, undefined, by),
    partAlone(candidate, wants, deps.policy),
    verifyBeforeHead(request, candidate, deps),
  );
  if (!lacksLength(candidate)) return (last, ...to) => through(source, fuse(judged, begins, last), ...to);
  const measured = withLength(request, candidate, deps);
  return (last, ...to) => through(measured(judged(source)), fuse(begins, last), ...to);
};

const continued = (
  run: Run,
  candidate: Candidate,
  ask: AskedBytes,
  soFar: ResponseSoFar,
  place: PlaceAtSource,
): Body => {
  const { request, deps, progress } = run;
  const joined = resume(candidate, soFar, progress, deps.newDigest);
  const supervised = supervise(request, candidate, deps, place, soFar.total);
  const source = opened(request, candidate, ask, deps, place, false);
  // Of a body that has not begun, another source may still send all: wrong content can be replaced.
  const judged: Stage<SourceEvent, SourceEvent> =
    progress.sent === 0 && soFar.whole ? verifyBeforeHead(request, candidate, deps) : fuse();
  return (last, ...to) => through(source, fuse(supervised, judged, joined, last), ...to);
};

const askOf = ({ request, progress: { soFar, sent, undigested, tail } }: Run, candidate: Candidate): AskedBytes => {
  if (soFar) {
    const checked = candidate.blocks !== undefined;
    // Only a digest of the source's whole content can prove its last bytes.
    if (undigested && soFar.whole && algorithmFor(candidate, { checked })) return { from: 0 };
    const ifRange = isSame(soFar.candidate, candidate) ? soFar.etag : undefined;
    const repeated = ifRange === undefined ? (tail?.length ?? 0) : 0;
    return { from: soFar.first + sent - repeated, last: soFar.last, ifRange };
  }
  const { range, ifRange } = wanted(request, candidate.entry);
  return { from: range?.first ?? 0, last: range?.last, ifRange, unless: unlessOf(request, candidate) };
};
