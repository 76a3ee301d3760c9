import { Observable } from 'rxjs';
import { hold } from './hold.ts';
import type { Flow } from './valve.ts';

/** What is used of an `EventTarget`. */
export interface EventTargetLike {
  addEventListener(type: string, listener: (event: unknown) => void): void;
  removeEventListener(type: string, listener: (event: unknown) => void): void;
}

/**
 * Makes a flow of the events of one type: of a `WebSocket`, a `MessagePort`, an element. Events
 * cannot be paused, so what waits while the valve is closed has a limit: see `hold`.
 *
 * Emits the events. Never completes, and errors only with an overflow. Unsubscribing removes the
 * listener.
 */
export const fromEventTarget = <E = Event>(
  target: EventTargetLike,
  type: string,
  holding: Parameters<typeof hold<E>>[0],
): Flow<E> =>
  hold<E>(holding)(
    new Observable((out) => {
      const listener = (event: unknown) => out.next(event as E);
      target.addEventListener(type, listener);
      return () => target.removeEventListener(type, listener);
    }),
  );
