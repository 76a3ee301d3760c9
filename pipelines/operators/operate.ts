import { Observable, type OperatorFunction, Subscriber } from 'rxjs';

interface Handlers<T> {
  next(value: T): void;
  /** Default: passes the error on. */
  error?(error: unknown): void;
  /** Default: completes. */
  complete?(): void;
}

/**
 * Makes an operator from handlers. `start` runs for each subscription, so its closure holds the
 * state. The inner subscriber belongs to the outer one before the source starts, so a synchronous
 * source stops as soon as the outer one closes. `new Observable(s => source.subscribe({…}))` cannot
 * guarantee that. An exception in a handler becomes the result's error.
 */
export const operate =
  <T, R>(start: (subscriber: Subscriber<R>) => Handlers<T>): OperatorFunction<T, R> =>
  (source) =>
    new Observable<R>((subscriber) => {
      source.subscribe(new Operated(subscriber, start(subscriber)));
    });

class Operated<T, R> extends Subscriber<T> {
  readonly #out: Subscriber<R>;
  readonly #handlers: Handlers<T>;

  constructor(out: Subscriber<R>, handlers: Handlers<T>) {
    super(out);
    this.#out = out;
    this.#handlers = handlers;
  }

  protected override _next(value: T): void {
    try {
      this.#handlers.next(value);
    } catch (error) {
      this.#out.error(error);
    }
  }

  protected override _error(error: unknown): void {
    this.#end(this.#handlers.error && (() => this.#handlers.error?.(error)), () => this.#out.error(error));
  }

  protected override _complete(): void {
    this.#end(this.#handlers.complete && (() => this.#handlers.complete?.()), () => this.#out.complete());
  }

  #end(handler: (() => void) | undefined, byDefault: () => void): void {
    try {
      (handler ?? byDefault)();
    } catch (error) {
      this.#out.error(error);
    } finally {
      this.unsubscribe();
    }
  }
}
