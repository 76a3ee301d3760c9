import {
  asyncScheduler,
  catchError,
  concatMap,
  defer,
  EMPTY,
  ignoreElements,
  mergeMap,
  type Observable,
  type SchedulerLike,
  Subject,
  throttleTime,
} from 'rxjs';
import type { Dispatch } from '../../../pipelines/model/index.ts';
import { type Records, unlessThere } from './records.ts';

export interface DeferredOptions {
  /** Pulp's collection `deferred_download`. */
  readonly records: Records;
  /** Asks Pulp to read its records soon. If absent, Pulp reads them on its own schedule. */
  readonly nudge?: NudgeOptions;
}

export interface NudgeOptions {
  /** Queues the task; see `Publish`. */
  readonly send: () => Observable<never>;
  /** A collection that all streamers share, so that they take turns. */
  readonly turns: Records;
  /** Called with the error if a nudge could not be sent. Must not throw. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly scheduler?: SchedulerLike;
}

/** Milliseconds between two nudges of all streamers. */
const BETWEEN_NUDGES = 60_000;

export interface DeferredDispatch {
  /** Completes when the record exists, by any writer. Errors if the database rejects it. */
  readonly dispatch: Dispatch;
  /** Stops nudging. */
  close(): void;
}

/**
 * Requests saves from Pulp as the released streamer did: with a record per unit. Pulp's own
 * download task deletes the record after the download. A nudge only shortens the wait: if it fails,
 * no record is lost.
 */
export const createDeferredDispatch = ({ records, nudge }: DeferredOptions): DeferredDispatch => {
  const recorded = new Subject<void>();
  const nudging = nudge && nudges(recorded, nudge).subscribe();
  return {
    dispatch: ({ entry: { unitId, unitTypeId } }) =>
      defer(async () => {
        const record = { unit_id: unitId, unit_type_id: unitTypeId };
        const written = records.updateOne(record, { $setOnInsert: { _ns: 'deferred_download' } }, { upsert: true });
        await unlessThere(written);
        recorded.next();
      }).pipe(ignoreElements()),
    close: () => nudging?.unsubscribe(),
  };
};

/**
 * Sends a nudge at once, and one at the end of each minute with a record. If it is another
 * streamer's turn, or the broker has not accepted the nudge, it is due again a minute later.
 */
const nudges = (
  recorded: Subject<void>,
  { send, turns, onError, now = Date.now, scheduler = asyncScheduler }: NudgeOptions,
): Observable<never> =>
  recorded.pipe(
    throttleTime(BETWEEN_NUDGES, scheduler, { leading: true, trailing: true }),
    concatMap(() => {
      const again = defer(() => {
        recorded.next();
        return EMPTY;
      });
      return defer(() => takeTurn(turns, now())).pipe(
        mergeMap((ours) => (ours ? send() : again)),
        catchError((error: unknown) => {
          onError(error);
          return again;
        }),
      );
    }),
  );

/** Takes the turn if no streamer took one within the last minute, in one atomic update. */
const takeTurn = (turns: Records, now: number): Promise<boolean> => {
  const free = { _id: 'nudge', at: { $lte: new Date(now - BETWEEN_NUDGES) } };
  return unlessThere(turns.updateOne(free, { $set: { at: new Date(now) } }, { upsert: true }));
};
