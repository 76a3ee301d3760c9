import { catchError, defaultIfEmpty, defer, last, map, mergeMap, type Observable, of, tap } from 'rxjs';
import type { Dispatch, Outbox, PendingSaveRequest } from './model/index.ts';
import { messageOf } from './model/message-of.ts';
import { type BackOff, backOff } from './operators/back-off.ts';

/** Dependencies of `deliverSaves`. */
export interface DeliverSavesDeps extends BackOff {
  readonly outbox: Pick<Outbox, 'due' | 'remove' | 'putOff'>;
  readonly dispatch: Dispatch;
  /** Maximum number of concurrent deliveries. */
  readonly concurrency: number;
  /** When save requests are given up. Absent: never. */
  readonly patience?: {
    /** Milliseconds, read after each failure: older save requests are not put off again. 0: no limit. */
    maxAge(): number;
    /** Milliseconds since 1970. */
    now(): number;
  };
}

/** The outcome of one delivery. */
export type Delivery =
  | { readonly type: 'delivered'; readonly save: PendingSaveRequest }
  | { readonly type: 'declined'; readonly save: PendingSaveRequest; readonly reason: string }
  | {
      readonly type: 'put-off';
      readonly save: PendingSaveRequest;
      readonly error: unknown;
      /** Milliseconds until the next try. */
      readonly delay: number;
    };

/**
 * Delivers the save requests of the outbox to the save target, in the background, while it is
 * subscribed.
 *
 * ```
 * due         -a-b-------b--
 * dispatch a   ---|
 * dispatch b     ---#
 * b again                --|
 * removed     ----a--------b
 * result      ----a-B------b
 * (B: the delivery of b failed and was put off)
 * ```
 *
 * Emits the outcome of each delivery. Completes and errors only with the outbox: if a dispatch
 * fails or throws, only its own save request is put off; if it declines, or the request is too old
 * when it fails (`patience`), the request is removed.
 * Unsubscribing abandons the deliveries in progress. Their save requests stay in the outbox and become due again.
 */
export const deliverSaves = ({ outbox, dispatch, patience, ...back }: DeliverSavesDeps): Observable<Delivery> =>
  outbox.due.pipe(
    mergeMap((save) => {
      return defer(() => dispatch(save)).pipe(
        map((reason): Delivery => ({ type: 'declined', save, reason })),
        defaultIfEmpty<Delivery, Delivery>({ type: 'delivered', save }),
        last(),
        tap(() => outbox.remove(save)),
        catchError((error: unknown) => {
          if (isOver(save, patience)) {
            outbox.remove(save);
            const reason = `given up, since it could not be delivered for too long (saves_max_age): ${messageOf(error)}`;
            return of<Delivery>({ type: 'declined', save, reason });
          }
          const delay = backOff(save.failures, back);
          outbox.putOff(save, delay, messageOf(error));
          return of<Delivery>({ type: 'put-off', save, error, delay });
        }),
      );
    }, back.concurrency),
  );

/** One of unknown age is never too old. */
const isOver = (
  { notedAt = Number.POSITIVE_INFINITY }: PendingSaveRequest,
  patience: DeliverSavesDeps['patience'],
): boolean => patience !== undefined && patience.maxAge() > 0 && patience.now() - notedAt > patience.maxAge();
