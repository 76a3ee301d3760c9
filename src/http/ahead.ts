import type { BehaviorSubject, Observable } from 'rxjs';
import { type ErrorCode, type StreamEvent, toStreamError } from '../../pipelines/model/index.ts';
import { headStart } from './head-start.ts';
import type { Place } from './limits.ts';

/** A request that has its place among the transfers. */
export interface Started {
  readonly valve: BehaviorSubject<boolean>;
  readonly place: Place;
  readonly events: Observable<StreamEvent>;
}

/** What is begun of a request before its turn. */
export interface Ahead {
  /** Begins it, unless there is no room or something is wrong with it: then nothing is begun, and the client learns it in its turn. */
  begin(): void;
  /** What was begun, if it still is: the turn has come. */
  take(): Started | undefined;
  /** Ends what was begun; returns whether there was anything. */
  leave(): boolean;
}

interface AheadOptions {
  /** Starts the request with a closed valve; throws if it cannot be. */
  readonly start: (giveWay: () => void) => Started;
  /** Milliseconds in which a client takes nothing of what there is for it. 0: it may take for ever. */
  readonly clientTimeout: number;
  /** Called when what was begun has been ended, and is to be begun again in its turn. */
  readonly ended: () => void;
}

/**
 * Milliseconds that a request which was begun ahead waits for its turn. It holds a connection to a source; behind a response that takes so
 * long there is nothing to gain by that.
 */
const HEAD_START = 5_000;

/** What may fail a request only because it waits, with others ahead of it at the same source. */
const BY_WAITING: ReadonlySet<ErrorCode> = new Set(['SOURCE_FULL', 'HEAD_TIMEOUT', 'CLIENT_STUCK']);

/** Begins a request ahead of its turn. It gives way to others, and ends if its turn is long in coming. */
export const createAhead = ({ start, clientTimeout, ended }: AheadOptions): Ahead => {
  // Before the client would count as stuck, which it is not.
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
        begun = { ...started, ...headStart(started.events, failed), late: setTimeout(giveWay, longest) };
      } catch {
        // Whether it is still wrong in its turn is seen then.
      }
    },
    take: () => {
      clearTimeout(begun?.late);
      begun?.place.stay();
      return begun;
    },
  };
};
