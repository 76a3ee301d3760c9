import { Observable } from 'rxjs';
import { asError } from './as-error.ts';
import { operate, through } from './operate.ts';
import { type Flow, Gate } from './valve.ts';

/** What is used of a `Writable` of Node. */
export interface WritableLike {
  on(event: string, listener: (value: unknown) => void): unknown;
  off(event: string, listener: (value: unknown) => void): unknown;
  write(value: unknown): boolean;
  end(): unknown;
  destroy(error?: Error): unknown;
  readonly writableNeedDrain: boolean;
  readonly destroyed: boolean;
  /** The error that it was destroyed with. */
  readonly errored: Error | null;
}

interface PipeTo {
  /** Whether the stream ends with the flow. Default: it does. */
  readonly end?: boolean;
}

/**
 * Writes a flow to a `Writable` of Node: a file, a socket, a response. The valve is closed while
 * the stream is full.
 *
 * Emits nothing. Completes once the stream has finished, or with the flow if the stream is not
 * ended. Errors with the flow, which destroys the stream; with the stream; or with an `Error` if the
 * stream is closed too early. Unsubscribing leaves the flow, and destroys the stream if it was to
 * be ended.
 */
export const pipeTo = <T>(source: Flow<T>, writable: WritableLike, { end = true }: PipeTo = {}): Observable<never> =>
  new Observable((out) => {
    let finished = false;
    const valve = new Gate(!writable.writableNeedDrain);
    const failed = (error: unknown) => out.error(error);
    const closed = () => failed(writable.errored ?? new Error('the stream was closed before the flow had ended'));
    // One that is over already has no more events.
    if (writable.destroyed) return closed();
    const events: [string, (value: unknown) => void][] = [
      ['drain', () => valve.next(true)],
      [
        'finish',
        () => {
          finished = true;
          out.complete();
        },
      ],
      ['close', closed],
      ['error', failed],
    ];
    for (const [event, listener] of events) writable.on(event, listener);
    out.add(() => {
      if (end && !finished) writable.destroy();
      // An error of a destroyed stream that nobody listens to would end the process.
      for (const [event, listener] of events) if (!end || event !== 'error') writable.off(event, listener);
    });
    const writing = operate<T, never>(() => ({
      next: (value) => {
        if (!writable.write(value)) valve.next(false);
      },
      error: (error) => {
        if (end) writable.destroy(asError(error));
        out.error(error);
      },
      complete: () => {
        if (end) writable.end();
        else out.complete();
      },
    }));
    through(source, writing, out, valve);
  });
