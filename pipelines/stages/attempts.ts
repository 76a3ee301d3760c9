import {
  asyncScheduler,
  catchError,
  concat,
  defer,
  EMPTY,
  identity,
  map,
  mergeMap,
  type Observable,
  type OperatorFunction,
  of,
  type SchedulerLike,
  tap,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import {
  type Candidate,
  type Chunk,
  type Head,
  type MakeDigest,
  type Note,
  type OpenSource,
  type Phase,
  type Policy,
  StreamError,
  type StreamRequest,
  toStreamError,
} from '../model/index.ts';
import { stallTimeout } from '../operators/stall-timeout.ts';
import { clientHead } from './head.ts';
import { measure } from './measure.ts';
import { type Begun, type Failure, nextAttempt } from './next-attempt.ts';
import { resume } from './resume.ts';
import { verifyWhole } from './verify-whole.ts';

interface AttemptsDeps {
  readonly open: OpenSource;
  readonly digest: MakeDigest;
  readonly policy: Policy;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  /** The clock of all waiting. Default: RxJS's own. */
  readonly scheduler?: SchedulerLike;
}

/**
 * Tries the candidates until the body is through: before the head any failure leads to the next one and nothing of the
 * failed one leaks; after it the body goes on at the exact byte, from the same source or from one with the same content.
 * Emits one head, the chunks of one whole body, and notes of what happened. Errors with the failure when there was one
 * candidate, with `OUT_OF_SOURCES` when there were more. Unsubscribing leaves the source that is open.
 */
export const attempts = (
  request: StreamRequest,
  deps: AttemptsDeps,
): OperatorFunction<readonly Candidate[], Head | Chunk | Note> =>
  mergeMap((candidates) =>
    defer(() => {
      const { open, digest, policy, random, scheduler = asyncScheduler } = deps;
      const { method, valve } = request;
      const failures: Failure[] = [];
      let begun: Begun | undefined;
      let sent = 0;

      const onward = (): Observable<Head | Chunk | Note> => {
        const next = nextAttempt({ candidates, failures, begun }, policy, random);
        if (!next) return throwError(() => summary(failures));
        const attempt = defer(() => attemptOf(next.candidate));
        return next.wait > 0 ? timer(next.wait, scheduler).pipe(mergeMap(() => attempt)) : attempt;
      };

      const attemptOf = (candidate: Candidate): Observable<Head | Chunk | Note> => {
        const from = sent;
        return concat(of({ type: 'note', note: 'attempt', candidate, from } as const), bodyOf(candidate)).pipe(
          catchError((thrown: unknown) => {
            const error = toStreamError(thrown);
            // All bytes were there, only the source's good-bye was missing: the checksum is the better witness.
            if (begun?.length === sent && sent > 0 && begun.candidate.entry.checksum) return EMPTY;
            const phase: Phase = sent > 0 ? 'mid-body' : begun ? 'before-first-byte' : 'before-head';
            failures.push({ candidate, error, from, sent });
            return concat(of({ type: 'note', note: 'failed', candidate, error, phase, sent } as const), onward());
          }),
        );
      };

      const bodyOf = (candidate: Candidate): Observable<Head | Chunk | Note> => {
        if (candidate.problem) return throwError(() => candidate.problem);
        const etag = begun?.candidate === candidate ? begun.etag : undefined;
        const bytes = open(candidate, { method, from: sent, valve, ...(etag && { etag }) }).pipe(
          timeout({
            first: policy.headTimeout,
            with: () => throwError(() => late(candidate, policy.headTimeout)),
            scheduler,
          }),
          stallTimeout({
            within: policy.readTimeout,
            valve,
            error: () => stalled(candidate, policy.readTimeout),
            scheduler,
          }),
          method === 'GET' ? measure(candidate) : identity,
        );
        const body: Observable<Head | Chunk | Note> = begun
          ? bytes.pipe(resume(candidate, begun, sent))
          : bytes.pipe(
              verifyWhole(candidate, method === 'GET' ? policy.verifyWholeBelow : -1, digest),
              map((event) => {
                if (event.type !== 'head') return event;
                const head = clientHead(event, candidate, policy);
                begun = { candidate, length: head.length, etag: event.etag };
                return head;
              }),
            );
        return body.pipe(
          tap((event) => {
            if (event.type === 'chunk') sent += event.bytes.length;
          }),
        );
      };

      return onward();
    }),
  );

const late = ({ url }: Candidate, within: number) =>
  new StreamError('HEAD_TIMEOUT', 'feed', `${url} sent no response head within ${within} ms`);

const stalled = ({ url }: Candidate, within: number) =>
  new StreamError('STALLED', 'feed', `${url} sent nothing for ${within} ms`);

/** Why the request failed: the failure itself, or, of several, the one that says most; missing files say least. */
const summary = (failures: readonly Failure[]): StreamError => {
  const errors = failures.map(({ error }) => error);
  const telling = errors.findLast(({ code }) => code !== 'SOURCE_MISSING') ?? errors.at(-1);
  if (!telling) return new StreamError('OUT_OF_SOURCES', 'self', 'no attempt is allowed: attempts is 0');
  if (errors.length === 1) return telling;
  return new StreamError(
    telling.code,
    telling.source,
    `every source failed; ${errors.map((e) => e.message).join('; ')}`,
    {
      cause: telling,
      sourceStatus: telling.sourceStatus,
    },
  );
};
