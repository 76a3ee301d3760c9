import { Observable, type Subscriber } from 'rxjs';
import { type Handlers, operated } from './subscriber.ts';
import type { Flow, FlowOperator, Valve } from './valve.ts';

/** An operator of handlers, which hands its consumer's valve to its source. Several make one operator: see `fuse`. */
export interface Stage<T, R> extends FlowOperator<T, R> {
  /**
   * Starts the handlers in front of `out`, which owns the result and has the valve. Values given to
   * the result pass without a subscription. If `start` throws, `out` gets the error, and the result
   * is closed.
   */
  into(out: Subscriber<R>, valve: Valve): Subscriber<T>;
}

/**
 * Makes an operator from handlers. `start` runs for each subscription, so its closure holds the
 * state. It gets the consumer's valve, which the source has, too. The inner subscriber belongs to the outer one before the source starts, so a synchronous
 * source stops as soon as the outer one closes. `new Observable(s => source.subscribe({…}))` cannot
 * guarantee that. An exception in a handler becomes the result's error. If `start` throws or closes
 * the result, the source is not subscribed to.
 */
export const operate = <T, R>(start: (out: Subscriber<R>, valve: Valve) => Handlers<T>): Stage<T, R> =>
  stageOf((out, valve) => {
    let handlers: Handlers<T> = IGNORING;
    try {
      handlers = start(out, valve);
    } catch (error) {
      out.error(error);
    }
    return operated(out, handlers);
  });

/** Makes a stage of its `into`. One that only watches returns `out` itself. */
export const stageOf = <T, R>(into: Stage<T, R>['into']): Stage<T, R> => {
  const stage =
    (source: Flow<T>): Flow<R> =>
    (valve) =>
      new Observable((out) => through(source, stage, out, valve));
  stage.into = into;
  return stage;
};

/** Equals `flow(source, stage)(valve).subscribe(out)`, but subscribes only to the source. */
export const through = <T, R>(
  source: Flow<T>,
  { into }: Pick<Stage<T, R>, 'into'>,
  out: Subscriber<R>,
  valve: Valve,
): void => {
  const first = into(out, valve);
  if (!first.closed) source(valve).subscribe(first);
};

/**
 * The result of a stage for one value. Equals `flow(() => of(value), stage)`, without a subscription
 * between the two.
 */
export const given =
  <T, R>(value: T, stage: Stage<T, R>): Flow<R> =>
  (valve) =>
    new Observable<R>((out) => {
      const first = stage.into(out, valve);
      first.next(value);
      first.complete();
    });

const IGNORING: Handlers<unknown> = { next: () => {} };
