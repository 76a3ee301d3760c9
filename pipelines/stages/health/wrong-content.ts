import type { SchedulerLike } from 'rxjs';
import { type Candidate, isCopy, type SourceHead, type StreamError, stateOf } from '../../model/index.ts';

interface Found {
  /** The checksum that the content should have had. */
  readonly checksum: string | undefined;
  /** The state of the content at its source; absent if several sources contributed to the body. */
  readonly state: string | undefined;
  /** How often in a row it was found. */
  readonly times: number;
  /** Until then the same state is refused, and the URL is tried last. */
  readonly refusedUntil: number;
  readonly lastUntil: number;
}

interface WrongContentOptions {
  /** Milliseconds that content cools down after it was found wrong that many times in a row. */
  readonly coolingTime: (times: number) => number;
  /** Milliseconds that its URL is tried last. */
  readonly lastFor: number;
  readonly scheduler: SchedulerLike;
}

/** Content that was found wrong, by URL. */
export interface WrongContent {
  /** Whether the URL is to be tried last: it may be right again, but others are a better choice. */
  isSuspect(candidate: Candidate): boolean;
  /**
   * Whether a head shows the content that was found wrong: the same state at the same URL, for the
   * same checksum. It is then refused without a transfer, until it has cooled down.
   */
  isKnown(candidate: Candidate, head: SourceHead): boolean;
  /** Records a `WRONG_CHECKSUM`. */
  found(candidate: Candidate, error: StreamError): void;
}

/** URLs that are remembered; the one found wrong longest ago is dropped first. */
const REMEMBERED = 1000;

export const createWrongContent = ({ coolingTime, lastFor, scheduler }: WrongContentOptions): WrongContent => {
  const known = new Map<string, Found>();

  return {
    isSuspect: ({ url }) => scheduler.now() < (known.get(url)?.lastUntil ?? 0),
    isKnown: (candidate, head) => {
      const found = known.get(candidate.url);
      return (
        found?.state !== undefined &&
        scheduler.now() < found.refusedUntil &&
        found.checksum === candidate.entry.checksum?.value &&
        found.state === stateOf(candidate, head)
      );
    },
    found: (candidate, { state }) => {
      const { url, entry } = candidate;
      const checksum = entry.checksum?.value;
      const before = known.get(url);
      const isSame = before?.checksum === checksum && before?.state === state;
      const times = isSame ? (before?.times ?? 0) + 1 : 1;
      const now = scheduler.now();
      const refusedUntil = isCopy(candidate) ? now : now + coolingTime(times);
      known.delete(url);
      known.set(url, { checksum, state, times, refusedUntil, lastUntil: now + lastFor });
      const [oldest] = known.keys();
      if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
    },
  };
};
