import { NEVER, of } from 'rxjs';
import type * as operators from '../../pipelines/operators/index.ts';
import type { Lent, OperatorUnderTest } from '../../pipelines/operators/testing/index.ts';

/** Every operator that passes values on, of the module or of a mutant of it. */
export const lawfulFlows = (all: typeof operators): Readonly<Record<string, OperatorUnderTest>> => {
  const one = (value: Lent) => () => of(value);
  /** Longer than all histories together. */
  const NEVER_LATE = { timeoutMs: 1e9, error: () => new Error('late') };
  const pass = all.operate<Lent, Lent>((out) => ({ next: (value) => out.next(value) }));

  return {
    createFlow: () => (source) => source,
    operate: () => pass,
    fuse: () => all.fuse(pass, pass),
    lift: () => all.lift((source) => source),
    deferFlow: () => (source) => all.deferFlow((valve) => source(valve)),
    every: () => (source) => (valve) => source(all.every(valve, NEVER)),
    closedTimeout: ({ scheduler }) => all.closedTimeout({ ...NEVER_LATE, scheduler }),
    firstTimeout: ({ scheduler }) => all.firstTimeout({ ...NEVER_LATE, scheduler }),
    stallTimeout: ({ scheduler }) => all.stallTimeout({ ...NEVER_LATE, scheduler }),
    speedFloor: ({ scheduler }) =>
      all.speedFloor({ atLeast: 0, window: 10_000, size: () => 1, error: () => new Error('slow'), scheduler }),
    meter: ({ scheduler }) => all.meter({ scheduler }),
    hedge:
      ({ scheduler }) =>
      (first) =>
        all.hedge({
          first,
          second: () => NEVER,
          after: 1e9,
          wins: () => true,
          aside: (error) => error as Lent,
          scheduler,
        }),
    limitConcurrency: () => all.lift(all.limitConcurrency(1)<Lent>),
    concatFlow: ({ lending }) => all.concatFlow(one, lending),
    mergeFlow: ({ lending }) => all.mergeFlow(2, one, lending),
    switchFlow: () => all.switchFlow(one),
    shareFlow: ({ lending, scheduler }) => {
      const join = all.shareFlow<Lent>({ size: () => 1, lateJoinWindow: 0, window: 9, memory: 9, lending, scheduler });
      return (source) => join({ key: '', source: () => source, fallback: () => NEVER, onJoin: {} as Lent });
    },
    rateLimit: ({ lending, scheduler }) =>
      all.rateLimit({ perSecond: 1e6, size: () => 1, split: (value) => [value, value], lending, scheduler }),
    hold:
      ({ lending }) =>
      (source) =>
      (valve) =>
        all.hold<Lent>({ limit: 99, overflow: 'error', lending })(source(valve))(valve),
  };
};
