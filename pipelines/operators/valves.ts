import { Observable } from 'rxjs';
import type { Valve } from './valve.ts';

/**
 * A valve that is open while every one of the valves is, such as those of several consumers that
 * get the same values.
 *
 * Emits its state on subscription, and each change. Errors with the first valve that does, and
 * completes with the last one. Unsubscribing leaves all.
 */
export const every = (...valves: readonly Valve[]): Valve => joined(valves, (states) => states.every(Boolean));

/** The same, but it is open while some valve is. */
export const some = (...valves: readonly Valve[]): Valve => joined(valves, (states) => states.some(Boolean));

const joined = (valves: readonly Valve[], judge: (states: readonly boolean[]) => boolean): Valve =>
  new Observable((out) => {
    // A valve counts as open until it emits.
    const states = valves.map(() => true);
    let running = valves.length;
    let state: boolean | undefined;
    let ready = false;
    const tell = () => {
      const now = judge(states);
      if (!ready || now === state) return;
      state = now;
      out.next(now);
    };
    const ended = () => {
      running -= 1;
      if (ready && running <= 0) out.complete();
    };
    for (const [index, valve] of valves.entries())
      out.add(
        valve.subscribe({
          next: (open) => {
            states[index] = open;
            tell();
          },
          error: (error: unknown) => out.error(error),
          complete: ended,
        }),
      );
    ready = true;
    tell();
    if (running <= 0) out.complete();
  });
