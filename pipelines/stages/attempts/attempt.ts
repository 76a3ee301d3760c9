import { asyncScheduler, type SchedulerLike, throwError } from 'rxjs';
import {
  type AskedBytes,
  type Candidate,
  errorSourceOf,
  type OpenSource,
  type Policy,
  type SourceEvent,
  type SourceHead,
  StreamError,
  type StreamRequest,
} from '../../model/index.ts';
import { firstTimeout } from '../../operators/first-timeout.ts';
import { flow } from '../../operators/flow.ts';
import { fuse } from '../../operators/fuse.ts';
import type { Stage } from '../../operators/operate.ts';
import { speedFloor } from '../../operators/speed-floor.ts';
import { stallTimeout } from '../../operators/stall-timeout.ts';
import type { Flow } from '../../operators/valve.ts';
import type { Health } from '../health/health.ts';
import { decodes } from './decodes.ts';
import { enforceLength } from './enforce-length.ts';
import { openHead } from './open-head.ts';
import { openParts } from './open-parts.ts';
import { openUnless } from './open-unless.ts';

export interface AttemptDeps {
  readonly open: OpenSource;
  readonly policy: Policy;
  readonly health?: Pick<Health, 'wasCoded' | 'isKnownWrong' | 'refusesHead' | 'foundToRefuseHead'>;
  readonly scheduler?: SchedulerLike;
}

/**
 * One attempt at one candidate, from a byte on or for a range. Emits the source's events. Errors
 * with a StreamError if the head is late, or if the bytes stall or come too slowly. Also errors if
 * their number differs from what the source, the catalog, or the client's head (`promised`) states.
 * Unsubscribing closes the source.
 */
export const attempt = (
  request: StreamRequest,
  candidate: Candidate,
  ask: AskedBytes,
  deps: AttemptDeps,
  promised?: number,
): Flow<SourceEvent> => {
  const place = placeFor(deps);
  return flow(opened(request, candidate, ask, deps, place), supervise(request, candidate, deps, place, promised));
};

/** The wait of an attempt for a place at its source. */
export interface PlaceAtSource {
  readonly waits: (waiting: boolean) => void;
  /** When the source was asked, on the clock of the scheduler; undefined during a wait. */
  askedAt: number | undefined;
}

/** `asked` is called when the source is asked after a wait. */
export const placeFor = (
  { scheduler = asyncScheduler }: Pick<AttemptDeps, 'scheduler'>,
  asked = () => {},
): PlaceAtSource => {
  const place: PlaceAtSource = {
    waits: (waiting) => {
      const waited = place.askedAt === undefined;
      place.askedAt = waiting ? undefined : scheduler.now();
      if (waited && !waiting) asked();
    },
    askedAt: scheduler.now(),
  };
  return place;
};

/**
 * The candidate's events, unsupervised: those that a body `begins` with, or the rest of it. Errors if
 * the candidate has a problem.
 */
export const opened = (
  request: StreamRequest,
  candidate: Candidate,
  asked: AskedBytes,
  deps: Pick<AttemptDeps, 'open' | 'health'>,
  { waits }: PlaceAtSource,
  begins = true,
): Flow<SourceEvent> => {
  if (candidate.problem) return () => throwError(() => candidate.problem);
  const { method, client, parts, traceparent, tracestate } = request;
  const how = {
    waits,
    ...(client !== undefined && { client }),
    ...(traceparent !== undefined && { trace: { traceparent, tracestate } }),
    decodes: (head: SourceHead) => decodes(candidate, head, deps.health?.wasCoded),
  };
  const ask = { method, ...how, ...asked };
  if (parts && method === 'GET') return openParts(candidate, ask, parts, deps.open, begins);
  const { unless } = asked;
  if (!unless) return method === 'HEAD' ? openHead(candidate, how, deps) : deps.open(candidate, ask);
  // It may ask for a head, too.
  const open: OpenSource = (location, one) =>
    one.method === 'HEAD' ? openHead(candidate, { ...how, unless: one.unless }, deps) : deps.open(location, one);
  return openUnless(request, candidate, ask, open);
};

/** Milliseconds. A source that had less time is not to blame: look-ups and other sources had taken it. */
const FAIR = 1_000;

/**
 * Enforces the limits of an attempt on the events of its source. Its first byte must come before
 * `by`, if given, on the clock of the scheduler. A wait for a place at the source does not count as
 * its time, but ends by then. Time with a closed valve does not count, except until the head.
 */
export const supervise = (
  { method }: Pick<StreamRequest, 'method'>,
  candidate: Candidate,
  deps: Omit<AttemptDeps, 'open'>,
  place: PlaceAtSource,
  promised?: number,
  by = Number.POSITIVE_INFINITY,
): Stage<SourceEvent, SourceEvent> => {
  const { policy, scheduler = asyncScheduler } = deps;
  const { url, access } = candidate;
  const { minSpeed, minSpeedWindow } = policy;
  const within = (most: number) => Math.max(1, Math.min(most, Math.round(by - scheduler.now())));
  const dueAt = () => Math.min(by, (place.askedAt ?? scheduler.now()) + policy.headTimeout);
  const readTimeout = access?.readTimeout ?? policy.readTimeout;
  const fail = (code: 'HEAD_TIMEOUT' | 'STALLED' | 'TOO_SLOW', what: string) =>
    new StreamError(code, errorSourceOf(candidate), `${url} sent ${what}`);

  const timely = fuse(
    firstTimeout<SourceEvent>({
      timeoutMs: within(policy.headTimeout),
      dueAt,
      error: () => {
        if (place.askedAt === undefined) return new StreamError('SOURCE_FULL', 'self', `${url} had no place in time`);
        const had = Math.max(1, Math.round(dueAt() - place.askedAt));
        if (had < Math.min(FAIR, policy.headTimeout, policy.answerTimeout / 4))
          return new StreamError('ANSWER_TIMEOUT', 'self', `${url} had only ${had} ms to answer`);
        return fail('HEAD_TIMEOUT', `no response head within ${had} ms`);
      },
      scheduler,
    }),
    stallTimeout({
      timeoutMs: readTimeout,
      firstMs: () => within(readTimeout),
      error: (silence) => fail('STALLED', `nothing for ${silence} ms`),
      scheduler,
    }),
  );
  const measured = enforceLength({ method }, candidate, deps, promised);
  if (method === 'HEAD') return fuse(timely, measured);

  // Our own speed limit must not count against the source.
  const least = access?.maxSpeed === undefined ? (minSpeed * minSpeedWindow) / 1000 : 0;
  const quick: Stage<SourceEvent, SourceEvent> =
    least > 0
      ? speedFloor({
          atLeast: least,
          window: minSpeedWindow,
          size: (event) => (event.type === 'chunk' ? event.bytes.length : 0),
          error: () => fail('TOO_SLOW', `less than ${minSpeed} bytes per second for ${minSpeedWindow} ms`),
          scheduler,
        })
      : fuse();
  return fuse(timely, quick, measured);
};
