import { BehaviorSubject, combineLatest, distinctUntilChanged, map, Observable, type SchedulerLike } from 'rxjs';
import {
  type Candidate,
  type Chunk,
  errorSourceOf,
  isSameState,
  type Policy,
  StreamError,
  type StreamRequest,
} from '../../model/index.ts';
import { operate } from '../../operators/operate.ts';
import { askLength } from './ask-length.ts';
import type { AttemptDeps } from './attempt.ts';
import { endsByItself, type Lengths } from './lengths.ts';
import type { JudgedHead } from './verify-before-head.ts';

interface WithLengthDeps extends AttemptDeps {
  readonly policy: Policy;
  readonly lengths?: Lengths;
  readonly scheduler?: SchedulerLike;
}

/**
 * Finds out how long content is whose source does not say, and the catalog neither: a cache that keeps a body without a length could keep one
 * that broke off, and some clients cannot tell. Counted before, or told by the candidate when it is asked for that alone. Meanwhile the
 * source is paused, its head and what came already wait. What cannot be told passes without a length, and is counted for the next time.
 *
 * Emits what the source emits; errors with it, and with `WRONG_LENGTH` if the body is not as long as was told. Unsubscribing leaves both.
 *
 * @param open the source, for a request with a valve of its own
 */
export const withLength = (
  request: StreamRequest,
  candidate: Candidate,
  deps: WithLengthDeps,
  open: (request: StreamRequest) => Observable<JudgedHead | Chunk>,
): Observable<JudgedHead | Chunk> => {
  const { lengths } = deps;
  /** What was counted is better than what is told, and what turned out wrong is not repeated. */
  const toldByHead = (head: JudgedHead): number | undefined =>
    lengths?.of(candidate, head) ?? (lengths?.isDistrusted(candidate) ? undefined : head.length);
  if (candidate.entry.size !== undefined) return open(request);
  if (request.method === 'HEAD')
    return open(request).pipe(
      map((event) => (event.type === 'head' ? { ...event, length: toldByHead(event) } : event)),
    );

  return new Observable((out) => {
    const known = new BehaviorSubject(true);
    const valve = combineLatest([request.valve, known]).pipe(
      map(([wanted, known]) => wanted && known),
      distinctUntilChanged(),
    );
    const find = (head: JudgedHead) =>
      askLength(request, candidate, head, { ...deps, timeoutMs: deps.policy.verifyWholeWithin });
    open({ ...request, valve })
      .pipe(measured(candidate, lengths, known, find))
      .subscribe(out);
  });
};

const measured = (
  candidate: Candidate,
  lengths: Lengths | undefined,
  known: BehaviorSubject<boolean>,
  find: (head: JudgedHead) => Observable<number | undefined>,
) =>
  operate<JudgedHead | Chunk, JudgedHead | Chunk>((out) => {
    /** The head of a body that is counted: its source does not say how long it is. */
    let counted: JudgedHead | undefined;
    let promised: number | undefined;
    let received = 0;
    /** What waits for the length. */
    let waiting: Chunk[] | undefined;

    const tell = (length: number | undefined) => {
      const chunks = waiting ?? [];
      waiting = undefined;
      promised = length;
      out.next({ ...(counted as JudgedHead), length });
      for (const chunk of chunks) pass(chunk);
      known.next(true);
    };

    const found = (length: number | undefined) => {
      try {
        if (waiting) tell(length);
      } catch (error) {
        out.error(error);
      }
    };

    const wrong = (what: string): StreamError => {
      lengths?.distrust(candidate);
      return new StreamError(
        'WRONG_LENGTH',
        errorSourceOf(candidate),
        `${candidate.url} ${what}, told were ${promised}`,
      );
    };

    const pass = (chunk: Chunk) => {
      received += chunk.bytes.length;
      if (promised !== undefined && received > promised) throw wrong('sent more bytes');
      out.next(chunk);
    };

    return {
      next: (event) => {
        if (event.type === 'chunk') {
          if (waiting) waiting.push(event);
          else pass(event);
        } else if (event.length !== undefined) out.next(event);
        else {
          counted = event;
          const length = lengths?.of(candidate, event);
          waiting = [];
          // Without a validator nobody could say whether an answer is about this content.
          const hopeless = lengths?.isDistrusted(candidate) || !isSameState(candidate, event, event);
          if (length !== undefined || hopeless) return tell(length);
          known.next(false);
          out.add(find(event).subscribe(found));
        }
      },
      complete: () => {
        if (waiting)
          tell(
            endsByItself(candidate, counted as JudgedHead)
              ? waiting.reduce((sum, { bytes }) => sum + bytes.length, 0)
              : undefined,
          );
        if (promised !== undefined && received < promised) throw wrong(`ended after ${received} bytes`);
        if (counted && endsByItself(candidate, counted)) lengths?.learn(candidate, counted, received);
        out.complete();
      },
    };
  });
