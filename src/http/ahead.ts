import type { BehaviorSubject, Observable } from 'rxjs';
import { type ErrorCode, LOANS, type StreamEvent, toStreamError } from '../../pipelines/model/index.ts';
import { headStart } from './head-start.ts';
import type { Place } from './limits.ts';

/** A request that holds a transfer slot. */
export interface Started {
  readonly valve: BehaviorSubject<boolean>;
  readonly place: Place;
  readonly events: Observable<StreamEvent>;
}

/** The work that is started for a request before its turn. */
export interface Ahead {
  /**
   * Starts the request. If there is no free slot, or the request is invalid, nothing is started;
   * the client gets the error in its turn.
   */
  begin(): void;
  /** Call it when the turn has come. Returns the started request, if it is still running. */
  take(): Started | undefined;
  /** Ends the started request; returns whether there was one. */
  leave(): boolean;
}

interface AheadOptions {
  /** Starts the request with a closed valve; throws if that fails. */
  readonly start: (giveWay: () => void) => Started;
  /** Milliseconds in which a client may read nothing of the data that waits for it. 0: no limit. */
  readonly clientTimeout: number;
  /** Called when the started request was ended, and has to start again in its turn. */
  readonly ended: () => void;
}

/**
 * Milliseconds that a request started ahead waits for its turn. It holds a connection to a source,
 * and behind a longer response the early start gains nothing.
 */
const HEAD_START = 5_000;

/**
 * Errors that can occur only because the request waits while others are ahead of it at the same
 * source.
 */
const BY_WAITING: ReadonlySet<ErrorCode> = new Set(['SOURCE_FULL', 'HEAD_TIMEOUT', 'CLIENT_STUCK']);

/**
 * Starts a request ahead of its turn. The request gives way to others, and ends if its turn takes
 * too long.
 */
export const createAhead = ({ start, clientTimeout, ended }: AheadOptions): Ahead => {
  // Earlier than the client would count as stuck, which it is not.
  const longest = clientTimeout > 0 ? Math.min(HEAD_START, clientTimeout / 2) : HEAD_START;
  let begun: (Started & { readonly late: NodeJS.Timeout; readonly leave: () => void }) | undefined;

  const leave = () => {
    if (!begun) return false;
    const { late, leave: leaveSource, place } = begun;
    begun = undefined;
    clearTimeout(late);
    leaveSource();
    place.leave();
    return true;
  };
  const giveWay = () => {
    if (leave()) ended();
  };
  const failed = (error: unknown) => {
    if (BY_WAITING.has(toStreamError(error).code)) giveWay();
  };

  return {
    leave,
    begin: () => {
      try {
        const started = start(giveWay);
        begun = {
          ...started,
          ...headStart<StreamEvent>(started.events, failed, LOANS),
          late: setTimeout(giveWay, longest),
        };
      } catch {
        // The error, if it persists, is reported in the request's turn.
      }
    },
    take: () => {
      clearTimeout(begun?.late);
      begun?.place.stay();
      return begun;
    },
  };
};
