import { createFlow, type Sink } from '../create-flow.ts';
import type { Lending } from '../lending.ts';
import type { Flow } from '../valve.ts';

/** A numbered value whose memory is lent: it is overwritten once nobody retains it. */
export interface Lent {
  readonly index: number;
  overwritten: boolean;
  holders: number;
}

/** The lending of the values of a misbehaving producer. */
export const LENT: Lending<Lent> = {
  retain: (value) => {
    value.holders += 1;
  },
  release: (value) => {
    value.holders -= 1;
    if (value.holders === 0) value.overwritten = true;
  },
};

/** A source whose every move is commanded. It behaves as badly as sockets may. */
export interface Misbehaving {
  readonly flow: Flow<Lent>;
  /** How many values it has pushed, and how many of them since it was paused. */
  readonly pushed: number;
  readonly leaked: number;
  readonly closed: boolean;
  /** Pushes values; a paused source `leak` of them at most. */
  push(count: number): void;
  complete(): void;
  error(error: unknown): void;
}

/**
 * Makes a source that pushes values before it can be paused, goes on for `leak` values after it was,
 * and lends its values for the call that delivers them.
 */
export const misbehaving = ({
  atOnce = 0,
  leak = 0,
}: {
  readonly atOnce?: number;
  readonly leak?: number;
} = {}): Misbehaving => {
  let sink: Sink<Lent> | undefined;
  const state = { pushed: 0, leaked: 0, paused: false };
  const push = (count: number) => {
    for (let left = count; left > 0 && sink && !sink.closed; left -= 1) {
      if (state.paused && state.leaked >= leak) return;
      if (state.paused) state.leaked += 1;
      const value: Lent = { index: state.pushed, overwritten: false, holders: 1 };
      state.pushed += 1;
      sink.next(value);
      LENT.release(value);
    }
  };
  const flow = createFlow<Lent>((given) => {
    sink = given;
    push(atOnce);
    return {
      pause: () => {
        state.paused = true;
      },
      resume: () => {
        state.paused = false;
        state.leaked = 0;
      },
      close: () => {},
    };
  }, LENT);
  return {
    flow,
    get pushed() {
      return state.pushed;
    },
    get leaked() {
      return state.leaked;
    },
    get closed() {
      return sink?.closed === true;
    },
    push,
    complete: () => sink?.complete(),
    error: (error) => sink?.error(error),
  };
};
