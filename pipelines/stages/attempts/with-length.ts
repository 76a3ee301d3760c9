import { BehaviorSubject, map, type Observable, type SchedulerLike } from 'rxjs';
import {
  type Candidate,
  type Chunk,
  errorSourceOf,
  isSameState,
  LOANS,
  type Policy,
  StreamError,
  type StreamRequest,
} from '../../model/index.ts';
import { deferFlow, flow, lift } from '../../operators/flow.ts';
import { operate } from '../../operators/operate.ts';
import type { FlowOperator } from '../../operators/valve.ts';
import { every } from '../../operators/valves.ts';
import { askLength } from './ask-length.ts';
import type { AttemptDeps } from './attempt.ts';
import { hasReliableEnd, type Lengths } from './lengths.ts';
import type { JudgedHead } from './verify-before-head.ts';

interface WithLengthDeps extends AttemptDeps {
  readonly policy: Policy;
  readonly lengths?: Lengths;
  readonly scheduler?: SchedulerLike;
}

/** Whether the length of a candidate's content may be unknown before its head. */
export const lacksLength = ({ entry }: Candidate): boolean => entry.size === undefined;

/**
 * Finds the length of content that the catalog does not state (`lacksLength`), if its source does
 * not either. A cache that keeps a body without a length may keep one that broke off, and some
 * clients cannot detect that. The length is known from an earlier count, or the candidate is asked
 * for it separately. Until then the source is paused, and its head and first chunks wait. If the
 * length stays unknown, the content passes without it and is counted for the next time.
 *
 * Emits the events of the source. Errors with the source, and with `WRONG_LENGTH` if the body has
 * another length. Unsubscribing closes both requests.
 */
export const withLength =
  (
    request: StreamRequest,
    candidate: Candidate,
    deps: WithLengthDeps,
  ): FlowOperator<JudgedHead | Chunk, JudgedHead | Chunk> =>
  (source) => {
    const { lengths } = deps;
    /**
     * A counted length is better than an announced one, and a length that proved wrong is not
     * repeated.
     */
    const lengthForHead = (head: JudgedHead): number | undefined =>
      lengths?.of(candidate, head) ?? (lengths?.isDistrusted(candidate) ? undefined : head.length);
    if (request.method === 'HEAD')
      return flow(
        source,
        lift(map((event) => (event.type === 'head' ? { ...event, length: lengthForHead(event) } : event))),
      );

    return deferFlow((valve) => {
      const known = new BehaviorSubject(true);
      const find = (head: JudgedHead) =>
        askLength(request, candidate, head, { ...deps, timeoutMs: deps.policy.verifyWholeWithin });
      return measured(candidate, lengths, known, find)(source)(every(valve, known));
    });
  };

const measured = (
  candidate: Candidate,
  lengths: Lengths | undefined,
  known: BehaviorSubject<boolean>,
  find: (head: JudgedHead) => Observable<number | undefined>,
) =>
  operate<JudgedHead | Chunk, JudgedHead | Chunk>((out) => {
    /** The head of a body that is counted, because its source sent no length. */
    let counted: JudgedHead | undefined;
    let promised: number | undefined;
    let received = 0;
    /** Chunks that wait for the length. */
    let waiting: Chunk[] | undefined;

    const release = (chunks: readonly Chunk[], length: number | undefined) => {
      waiting = undefined;
      promised = length;
      out.next({ ...(counted as JudgedHead), length });
      for (const chunk of chunks) {
        pass(chunk);
        LOANS.release(chunk);
      }
      known.next(true);
    };

    const found = (length: number | undefined) => {
      try {
        if (waiting) release(waiting, length);
      } catch (error) {
        out.error(error);
      }
    };

    const wrong = (what: string): StreamError => {
      lengths?.distrust(candidate);
      return new StreamError('WRONG_LENGTH', errorSourceOf(candidate), `${candidate.url} ${what}`);
    };

    const pass = (chunk: Chunk) => {
      received += chunk.bytes.length;
      if (received > (promised ?? Number.POSITIVE_INFINITY))
        throw wrong(`sent more than the expected ${promised} bytes`);
      out.next(chunk);
    };

    out.add(() => waiting?.forEach(LOANS.release));

    return {
      next: (event) => {
        if (event.type === 'chunk') {
          if (waiting) {
            LOANS.retain(event);
            waiting.push(event);
          } else pass(event);
        } else if (event.length !== undefined || event.status === 304) out.next(event);
        else {
          counted = event;
          const length = lengths?.of(candidate, event);
          // Without a validator no answer can be matched to this content.
          const hopeless = lengths?.isDistrusted(candidate) || !isSameState(candidate, event, event);
          if (length !== undefined || hopeless) return release([], length);
          waiting = [];
          known.next(false);
          out.add(find(event).subscribe(found));
        }
      },
      complete: () => {
        if (waiting)
          release(
            waiting,
            hasReliableEnd(candidate, counted as JudgedHead)
              ? waiting.reduce((sum, { bytes }) => sum + bytes.length, 0)
              : undefined,
          );
        if (received < (promised ?? 0)) throw wrong(`ended after ${received} of ${promised} bytes`);
        if (counted && hasReliableEnd(candidate, counted)) lengths?.record(candidate, counted, received);
        out.complete();
      },
    };
  });
