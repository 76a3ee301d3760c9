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
  /** Asks Pulp to look into its records soon; absent: it looks when its own schedule says so. */
  readonly nudge?: NudgeOptions;
}

export interface NudgeOptions {
  /** Queues the task; see `Publish`. */
  readonly send: () => Observable<never>;
  /** A collection that all streamers share: they nudge in turns. */
  readonly turns: Records;
  /** Told of nudges that could not be sent. Must not throw. */
  readonly onError: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly scheduler?: SchedulerLike;
}

/** Milliseconds between two nudges of all streamers. */
const BETWEEN_NUDGES = 60_000;

export interface DeferredDispatch {
  /** Completes when the record is there, whoever made it; errors where the database does not take it. */
  readonly dispatch: Dispatch;
  /** Ends nudging. */
  close(): void;
}

/**
 * Asks Pulp to save units by what the released streamer did: a record for each, which Pulp deletes when its own download task has come to it.
 * A nudge is only a wish for haste: one that fails loses no record.
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
 * A nudge at once, and one at the end of each minute in which there was a record. Where it is another streamer's turn, or the broker
 * has not taken it, it is due again a minute later.
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

/** Whether nobody took a turn within the last minute, which is thereby ours: one document, changed atomically. */
const takeTurn = (turns: Records, now: number): Promise<boolean> => {
  const free = { _id: 'nudge', at: { $lte: new Date(now - BETWEEN_NUDGES) } };
  return unlessThere(turns.updateOne(free, { $set: { at: new Date(now) } }, { upsert: true }));
};
