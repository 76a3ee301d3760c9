import { defer, type Observable, type OperatorFunction } from 'rxjs';
import { fuse } from './fuse.ts';
import type { Stage } from './operate.ts';
import type { Flow, FlowOperator, Valve } from './valve.ts';

/** The same operators as a step of `flow`, which joins neighbours that are stages. */
type Step<T, R> = FlowOperator<T, R> | Stage<T, R>;

/**
 * Pipes a flow through operators. Every one of them sees the valve of its consumer, so none can
 * run without back-pressure.
 *
 * Emits, completes and errors as the last operator does. Unsubscribing leaves all of them, and
 * closes the source. Neighbours that are stages cost one subscription together: see `fuse`.
 */
export function flow<A>(source: Flow<A>): Flow<A>;
export function flow<A, B>(source: Flow<A>, a: Step<A, B>): Flow<B>;
export function flow<A, B, C>(source: Flow<A>, a: Step<A, B>, b: Step<B, C>): Flow<C>;
export function flow<A, B, C, D>(source: Flow<A>, a: Step<A, B>, b: Step<B, C>, c: Step<C, D>): Flow<D>;
export function flow<A, B, C, D, E>(
  source: Flow<A>,
  ...operators: [Step<A, B>, Step<B, C>, Step<C, D>, Step<D, E>]
): Flow<E>;
export function flow<A, B, C, D, E, F>(
  source: Flow<A>,
  ...operators: [Step<A, B>, Step<B, C>, Step<C, D>, Step<D, E>, Step<E, F>]
): Flow<F>;
export function flow<A, B, C, D, E, F, G>(
  source: Flow<A>,
  ...operators: [Step<A, B>, Step<B, C>, Step<C, D>, Step<D, E>, Step<E, F>, Step<F, G>]
): Flow<G>;
export function flow(source: Flow<unknown>, ...operators: readonly Step<unknown, unknown>[]): Flow<unknown> {
  let made = source;
  let stages: Stage<unknown, unknown>[] = [];
  const join = () => {
    if (stages.length > 0) made = fused(...stages)(made);
    stages = [];
  };
  for (const operator of operators) {
    if ('into' in operator) stages.push(operator);
    else {
      join();
      made = operator(made);
    }
  }
  join();
  return made;
}

const fused = fuse as (...stages: readonly unknown[]) => Stage<unknown, unknown>;

/** Makes a flow whose Observable is made anew for each subscription, as RxJS's `defer` does. */
export const deferFlow =
  <T>(make: (valve: Valve) => Observable<T>): Flow<T> =>
  (valve) =>
    defer(() => make(valve));

/**
 * Makes a flow operator of one of RxJS, such as `map`, `filter`, `scan` or `take`: one that neither
 * holds values nor subscribes to other sources. Those would pay no attention to the valve.
 */
export const lift =
  <T, R>(operator: OperatorFunction<T, R>): FlowOperator<T, R> =>
  (source) =>
  (valve) =>
    operator(source(valve));

/** Makes a flow operator one for Observables, whose consumer has the given valve: the reverse of `lift`. */
export const under =
  <T, R>(valve: Valve, operator: FlowOperator<T, R>): OperatorFunction<T, R> =>
  (source) =>
    operator(() => source)(valve);
