import type { Subscriber } from 'rxjs';
import { type Stage, stageOf } from './operate.ts';

/**
 * Joins stages into one. The result behaves as `flow` through the same stages, one by one: the same values, errors,
 * and order of teardown. But each stage hands its values straight to the next one, so the result
 * costs one subscription, however many stages it has.
 */
export function fuse<A>(): Stage<A, A>;
export function fuse<A, B, C>(a: Stage<A, B>, b: Stage<B, C>): Stage<A, C>;
export function fuse<A, B, C, D>(a: Stage<A, B>, b: Stage<B, C>, c: Stage<C, D>): Stage<A, D>;
export function fuse<A, B, C, D, E>(a: Stage<A, B>, b: Stage<B, C>, c: Stage<C, D>, d: Stage<D, E>): Stage<A, E>;
export function fuse<A, B, C, D, E, F>(
  ...stages: [Stage<A, B>, Stage<B, C>, Stage<C, D>, Stage<D, E>, Stage<E, F>]
): Stage<A, F>;
export function fuse<A, B, C, D, E, F, G>(
  ...stages: [Stage<A, B>, Stage<B, C>, Stage<C, D>, Stage<D, E>, Stage<E, F>, Stage<F, G>]
): Stage<A, G>;
export function fuse(...stages: readonly Stage<unknown, unknown>[]): Stage<unknown, unknown> {
  return stageOf((out, valve) => {
    let first: Subscriber<unknown> = out;
    // A stage that has closed its result needs nothing in front of it.
    for (let at = stages.length - 1; at >= 0 && !first.closed; at--)
      first = (stages[at] as (typeof stages)[0]).into(first, valve);
    return first;
  });
}
