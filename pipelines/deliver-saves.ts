import { catchError, concat, defer, ignoreElements, mergeMap, type Observable, of } from 'rxjs';
import type { Dispatch, Outbox, PendingSaveRequest } from './model/index.ts';
import { messageOf } from './model/message-of.ts';
import { type BackOff, backOff } from './operators/back-off.ts';

export interface DeliverSavesDeps extends BackOff {
  readonly outbox: Pick<Outbox, 'due' | 'remove' | 'putOff'>;
  readonly dispatch: Dispatch;
  /** Deliveries under way at once. */
  readonly concurrency: number;
}

/** What came of one delivery. */
export type Delivery =
  | { readonly type: 'delivered'; readonly save: PendingSaveRequest }
  | {
      readonly type: 'put-off';
      readonly save: PendingSaveRequest;
      readonly error: unknown;
      /** Milliseconds until the next try. */
      readonly delay: number;
    };

/**
 * Brings the wishes of the outbox to whoever saves the units, in the background, for as long as it is subscribed.
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
 * Emits what came of each delivery. Completes and errors with the outbox alone: a dispatch that fails or throws puts its wish off
 * and nothing else. Unsubscribing leaves deliveries under way; their wishes stay in the outbox and are due again.
 */
export const deliverSaves = ({ outbox, dispatch, ...back }: DeliverSavesDeps): Observable<Delivery> =>
  outbox.due.pipe(
    mergeMap((save) => {
      const delivered = defer(() => {
        outbox.remove(save);
        return of<Delivery>({ type: 'delivered', save });
      });
      return concat(defer(() => dispatch(save)).pipe(ignoreElements()), delivered).pipe(
        catchError((error: unknown) => {
          const delay = backOff(save.failures, back);
          outbox.putOff(save, delay, messageOf(error));
          return of<Delivery>({ type: 'put-off', save, error, delay });
        }),
      );
    }, back.concurrency),
  );
