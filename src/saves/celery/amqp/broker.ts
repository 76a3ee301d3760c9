import {
  BehaviorSubject,
  defer,
  filter,
  map,
  merge,
  mergeMap,
  type Observable,
  retry,
  Subject,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs';
import type { Publish } from '../dispatch.ts';
import type { BrokerAddress } from './address.ts';
import { openSession, type Session, type SessionOptions } from './session.ts';

export interface BrokerOptions extends Omit<SessionOptions, 'address'> {
  /** The addresses of the broker, tried in turn if one cannot be reached. */
  readonly addresses: readonly BrokerAddress[];
  /** Milliseconds to wait before the next connection, by the number of failures in a row. */
  readonly waitAfter: (failures: number) => number;
  /** Called when a connection fails or is lost, with the delay before the next. Must not throw. */
  readonly onError: (error: unknown, delay: number) => void;
}

/** One connection to a message broker, reopened whenever it is lost. */
export interface Broker {
  /**
   * Completes when the broker has confirmed the message. Without a connection it waits for the next
   * attempt, and errors if that fails. It also errors if the broker rejects the message, has no
   * queue for it, or is lost before it confirms. Unsubscribing stops waiting; the message may be
   * sent nevertheless.
   */
  readonly publish: Publish;
  /** Emits for each connection, first for the present one. Completes at `close`. */
  readonly connected: Observable<void>;
  /** Closes the connection. Pending messages error. */
  close(): void;
}

/** Connects at once, and again after each loss. `close` releases its timers and sockets. */
export const openBroker = ({ addresses, waitAfter, onError, ...options }: BrokerOptions): Broker => {
  const session = new BehaviorSubject<Session | undefined>(undefined);
  const failure = new Subject<unknown>();
  let tries = 0;

  const connecting = defer(() => {
    const address = addresses[tries++ % addresses.length];
    return address ? openSession({ ...options, address }) : throwError(() => new Error('no broker is configured'));
  })
    .pipe(
      tap({
        error: (error) => {
          session.next(undefined);
          failure.next(error);
        },
      }),
      retry({
        delay: (error, failures) => {
          const delay = waitAfter(failures - 1);
          onError(error, delay);
          return timer(delay);
        },
        resetOnSuccess: true,
      }),
    )
    .subscribe((made) => session.next(made));

  const sessions = session.pipe(filter((present) => present !== undefined));
  const failed = failure.pipe(
    map((error) => {
      throw error;
    }),
  );
  return {
    publish: (destination, message) =>
      defer(() => (connecting.closed ? throwError(closed) : merge(sessions, failed))).pipe(
        take(1),
        mergeMap((present) => present.publish(destination, message)),
      ),
    connected: sessions.pipe(map(() => undefined)),
    close: () => {
      connecting.unsubscribe();
      failure.next(closed());
      session.complete();
    },
  };
};

const closed = () => new Error('the broker connection is closed');
