import { type Observer, Subscriber } from 'rxjs';

// The only file that uses what RxJS marks as internal: the constructor and the methods of Subscriber.

export interface Handlers<T> {
  next(value: T): void;
  /** Default: passes the error on. */
  error?(error: unknown): void;
  /** Default: completes. */
  complete?(): void;
}

/**
 * A subscriber that exists before its source starts. So it can leave a source that emits while it
 * is subscribed to, and its owner can add it in time.
 */
export const subscriberOf = <T>(observer: Observer<T>): Subscriber<T> => new Subscriber<T>(observer);

/** A subscriber that gives what it gets to handlers. It belongs to `out`. */
export const operated = <T, R>(out: Subscriber<R>, handlers: Handlers<T>): Subscriber<T> => new Operated(out, handlers);

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
    try {
      if (this.#handlers.error) this.#handlers.error(error);
      else this.#out.error(error);
    } catch (thrown) {
      this.#out.error(thrown);
    } finally {
      this.unsubscribe();
    }
  }

  protected override _complete(): void {
    try {
      if (this.#handlers.complete) this.#handlers.complete();
      else this.#out.complete();
    } catch (thrown) {
      this.#out.error(thrown);
    } finally {
      this.unsubscribe();
    }
  }
}
