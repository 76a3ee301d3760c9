import type { Observable } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { Gate, type Valve } from '../valve.ts';

type RunHelpers = Parameters<Parameters<TestScheduler['run']>[0]>[0];

/** The helpers of `TestScheduler.run`, and rows of valves: `o` opens one, `x` closes it. */
export interface FlowMarbles extends RunHelpers {
  /** A valve that moves as the row says, open until then. It has a present state, as a consumer's has. */
  valveOf(row: string): Valve;
  /** Expects the moves of a valve, such as the one that an operator gives to its source. */
  expectValve(valve: Observable<boolean>, row: string): void;
}

const STATES = { o: true, x: false };

/** Runs a marble test in virtual time; a frame is a millisecond. `equal` compares, and throws. */
export const flowMarbles = (
  equal: (actual: unknown, expected: unknown) => void,
  test: (helpers: FlowMarbles) => void,
): void =>
  new TestScheduler(equal).run((helpers) =>
    test({
      ...helpers,
      valveOf: (row) => {
        const gate = new Gate(!/^ *x/.test(row));
        helpers.hot<boolean>(row, STATES).subscribe((open) => {
          if (open !== gate.value) gate.next(open);
        });
        return gate;
      },
      expectValve: (valve, row) => helpers.expectObservable(valve).toBe(row, STATES),
    }),
  );
