import type { Logger } from 'pino';
import { EMPTY, filter, type Observable, Subject } from 'rxjs';
import { type Delivery, deliverSaves } from '../../pipelines/index.ts';
import { messageOf } from '../lib/thrown.ts';
import type { DurableOutbox } from '../saves/outbox/open.ts';
import { logDelivery, logDepth } from './log-lines.ts';
import type { SaveTarget } from './save-target.ts';

/**
 * Deliveries at a time, and milliseconds between tries. Nobody waits for a delivery, so tries may
 * be rare.
 */
const DELIVERY = { concurrency: 2, wait: 1_000, waitLimit: 300_000, random: Math.random };

interface Parts {
  readonly outbox: DurableOutbox;
  readonly target: SaveTarget;
  readonly logger: Logger;
  /** The log message of a delivery. */
  readonly delivered: string;
  /** Milliseconds after which a save request that cannot be delivered is given up; 0: never. */
  readonly maxAge: () => number;
  /** Called if the outbox refuses to try again early. */
  readonly onError: (error: Error) => void;
}

interface Deliveries {
  /** Emits the result of each delivery, as it happens; completes when closed. */
  readonly deliveries: Observable<Delivery>;
  close(): void;
}

/** Delivers what waits in the outbox to the save target, in the background, until closed. */
export const startDeliveries = ({ outbox, target, logger, delivered, maxAge, onError }: Parts): Deliveries => {
  const { dispatch, concurrency = DELIVERY.concurrency, revived = EMPTY } = target;
  const deliveries = new Subject<Delivery>();
  deliveries.subscribe((delivery) => logDelivery(logger, delivery, delivered));
  const background = logDepth(logger, outbox, deliveries.pipe(filter(({ type }) => type === 'put-off')));
  background.add(
    deliverSaves({ outbox, ...DELIVERY, dispatch, concurrency, patience: { maxAge, now: Date.now } }).subscribe(
      deliveries,
    ),
  );
  // Save requests that were put off because the save target was unreachable are due now.
  background.add(
    revived.subscribe(() => {
      try {
        outbox.retry('all');
      } catch (error) {
        onError(
          new Error(`waiting save requests are not tried before they are due: ${messageOf(error)}`, { cause: error }),
        );
      }
    }),
  );
  return {
    deliveries,
    close: () => {
      background.unsubscribe();
      deliveries.complete();
    },
  };
};
