import { defer } from 'rxjs';
import { type Lending, OWNED } from './lending.ts';
import { operate } from './operate.ts';
import { subscriberOf } from './subscriber.ts';
import { type Flow, type FlowOperator, followValve, Gate } from './valve.ts';

/**
 * Makes a flow of each value, and runs at most `limit` of them at a time.
 *
 * ```
 * source  abc|
 * for a   A---A|
 * for b    B-|
 * for c      C--|
 * result  AB-CA-|
 * (two at a time: c waits for the end of b)
 * ```
 *
 * Emits the values of all, which share the consumer's valve. While `limit` of them run, or the
 * valve is closed, the source is paused; its values on their way wait, retained by `lending`.
 * Completes once the source and all flows have. Errors at once with a flow, and with the source
 * after the flows of its values. Unsubscribing leaves everything at once.
 */
export const mergeFlow =
  <T, R>(limit: number, project: (value: T) => Flow<R>, lending: Lending<T> = OWNED): FlowOperator<T, R> =>
  (source) =>
  (valve) =>
    defer(() => {
      const room = new Gate(true);
      const merged = operate<T, R>((out) => {
        const waiting: T[] = [];
        let running = 0;
        let open = true;
        let busy = false;
        let end: (() => void) | undefined;

        const begin = (value: T) => {
          running += 1;
          const one = subscriberOf<R>({
            next: (result) => out.next(result),
            error: (error: unknown) => out.error(error),
            complete: () => {
              running -= 1;
              advance();
            },
          });
          out.add(one);
          project(value)(valve).subscribe(one);
        };
        const mayBegin = () => open && running < limit && !out.closed;
        /** A loop: flows that end at once would otherwise nest. */
        const advance = () => {
          if (busy) return;
          busy = true;
          try {
            for (let value = waiting[0]; waiting.length > 0 && mayBegin(); value = waiting[0]) {
              waiting.shift();
              begin(value as T);
              lending.release(value as T);
            }
          } catch (error) {
            out.error(error);
          }
          busy = false;
          if (end && running === 0 && waiting.length === 0) end();
          else if (mayBegin() !== room.value) room.next(mayBegin());
        };

        out.add(() => {
          for (const value of waiting.splice(0)) lending.release(value);
        });
        followValve(valve, out, (state) => {
          open = state;
          advance();
        });
        const endWith = (how: () => void) => {
          end = how;
          advance();
        };
        return {
          next: (value) => {
            lending.retain(value);
            waiting.push(value);
            advance();
          },
          error: (error) => endWith(() => out.error(error)),
          complete: () => endWith(() => out.complete()),
        };
      });
      return merged(source)(room);
    });

/** Makes a flow of each value, and runs them one after the other: `mergeFlow` with one at a time. */
export const concatFlow = <T, R>(project: (value: T) => Flow<R>, lending: Lending<T> = OWNED): FlowOperator<T, R> =>
  mergeFlow(1, project, lending);
