import type { SchedulerLike } from 'rxjs';
import { type Candidate, isCopy, type SourceHead, type StreamError, stateOf } from '../../model/index.ts';
import { createRecent } from './recent.ts';

interface Found {
  /** The checksum that the content should have had. */
  readonly checksum: string | undefined;
  /** It was `WRONG_CODING`. */
  readonly coded: boolean;
  /** How often in a row it was found. */
  readonly times: number;
  /** When it was found last. */
  readonly at: number;
  /** Until then it is refused. */
  readonly refusedUntil: number;
}

interface WrongContentOptions {
  /** Milliseconds that content cools down after it was found wrong that many times in a row. */
  readonly coolingTime: (times: number) => number;
  /** Milliseconds that it is remembered, and its URL is tried last. */
  readonly lastFor: () => number;
  readonly scheduler: SchedulerLike;
}

/** Content that was found wrong, by URL. */
export interface WrongContent {
  /** Whether the URL is to be tried last: it may be right again, but others are a better choice. */
  isSuspect(candidate: Candidate): boolean;
  /** Whether a head shows content that was found to be compressed: same URL, state and checksum. */
  wasCoded(candidate: Candidate, head: SourceHead): boolean;
  /**
   * Whether a head shows content that was found wrong: the same state at the same URL, for the same
   * checksum. It is then refused without a transfer, until it has cooled down.
   */
  isKnown(candidate: Candidate, head: SourceHead): boolean;
  /** Records a `WRONG_CHECKSUM` or `WRONG_CODING`. */
  found(candidate: Candidate, error: StreamError): void;
}

/** States and URLs that are remembered; the one found wrong longest ago is dropped first. */
const REMEMBERED = 1000;

export const createWrongContent = ({ coolingTime, lastFor, scheduler }: WrongContentOptions): WrongContent => {
  const states = createRecent<string, Found>(REMEMBERED);
  const urls = createRecent<string, number>(REMEMBERED);

  const keyOf = ({ url }: Candidate, state: string) => `${url} ${state}`;
  const foundOf = (candidate: Candidate, state: string): Found | undefined => {
    const found = states.get(keyOf(candidate, state));
    return found?.checksum === candidate.entry.checksum?.value ? found : undefined;
  };
  /** Whether the content that a head shows was found wrong, at a time that counts. */
  const was = (candidate: Candidate, head: SourceHead, counts: (found: Found, now: number) => boolean): boolean => {
    if (urls.get(candidate.url) === undefined) return false;
    const found = foundOf(candidate, stateOf(candidate, head));
    return found !== undefined && counts(found, scheduler.now());
  };

  return {
    isSuspect: ({ url }) => scheduler.now() < (urls.get(url) ?? 0),
    wasCoded: (candidate, head) => was(candidate, head, ({ coded, at }, now) => coded && now < at + lastFor()),
    isKnown: (candidate, head) => was(candidate, head, ({ refusedUntil }, now) => now < refusedUntil),
    found: (candidate, { code, state }) => {
      const { url, entry } = candidate;
      const at = scheduler.now();
      urls.set(url, at + lastFor());
      // A new copy has the same tag and date as the previous one.
      if (state === undefined || isCopy(candidate)) return;
      const before = foundOf(candidate, state);
      const times = (before?.times ?? 0) + 1;
      // What another attempt made of the same response does not matter.
      const coded = code === 'WRONG_CODING' || before?.coded === true;
      const refusedUntil = at + coolingTime(times);
      states.set(keyOf(candidate, state), {
        checksum: entry.checksum?.value,
        ...{ coded, times, at, refusedUntil },
      });
    },
  };
};
