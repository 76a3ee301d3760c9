import { catchError, concat, defer, ignoreElements, mergeMap, type Observable, of } from 'rxjs';
import type { Dispatch, Outbox, PendingSave } from './model/index.ts';

export interface DeliverSavesDeps {
  readonly outbox: Pick<Outbox, 'due' | 'remove' | 'putOff'>;
  readonly dispatch: Dispatch;
  /** Deliveries under way at once. */
  readonly concurrency: number;
  /** Milliseconds after which a failed delivery is tried again; they double with each failure, with jitter. */
  readonly wait: number;
  /** Milliseconds, the longest wait. */
  readonly waitLimit: number;
  /** From 0 to 1: jitter. */
  readonly random: () => number;
}

/** What came of one delivery. */
export type Delivery =
  | { readonly type: 'delivered'; readonly save: PendingSave }
  | {
      readonly type: 'put-off';
      readonly save: PendingSave;
      readonly error: unknown;
      /** Milliseconds until the next try. */
      readonly delay: number;
    };

/**
 * Brings the wishes of the outbox to whoever saves the units, in the background, for as long as it is subscribed.
 *
 * ```
 * due        a-b---------b----      (b, put off, comes again)
 * dispatch a  ---|
 * dispatch b    --#      ---|
 * result     ---a-B---------b      (B put off; a and b delivered, and only then removed)
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
          const delay = waitAfter(save.failures, back);
          outbox.putOff(save, delay, error instanceof Error ? error.message : String(error));
          return of<Delivery>({ type: 'put-off', save, error, delay });
        }),
      );
    }, back.concurrency),
  );

type BackOff = Pick<DeliverSavesDeps, 'wait' | 'waitLimit' | 'random'>;

/** Jitter keeps wishes that failed together from coming back together. */
const waitAfter = (failures: number, { wait, waitLimit, random }: BackOff): number =>
  Math.min(waitLimit, wait * 2 ** failures) * (0.5 + random() / 2);
