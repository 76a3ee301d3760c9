import { setTimeout } from 'node:timers/promises';
import { config, type Observable, Subscriber } from 'rxjs';

/**
 * Subscribes with a consumer that is gone already. Resolves to the notifications that came too late
 * for it: RxJS tells of an error among them only here, and in a timer.
 */
export const subscribeGone = async <T>(values: Observable<T>): Promise<readonly unknown[]> => {
  const late: unknown[] = [];
  const gone = new Subscriber<T>();
  gone.unsubscribe();
  config.onStoppedNotification = (notification) => late.push(notification);
  try {
    values.subscribe(gone);
    // Behind the timer of RxJS.
    await setTimeout();
  } finally {
    config.onStoppedNotification = null;
  }
  return late;
};
