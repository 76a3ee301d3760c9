import { BehaviorSubject } from 'rxjs';
import type { Valve } from '../../../pipelines/operators/flow.ts';

/** The bytes of all copies that wait for the disk. */
export interface Backlog {
  /** Reserves room for bytes. Returns `false` if the limit would be exceeded. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  /** `false` above half of the limit, `true` again below a quarter. Emits on subscription. */
  readonly valve: Valve;
}

export const makeBacklog = (limit: number): Backlog => {
  const valve = new BehaviorSubject(true);
  let held = 0;

  const steer = () => {
    if (valve.value ? held > limit / 2 : held < limit / 4) valve.next(!valve.value);
  };

  return {
    take: (bytes) => {
      if (held + bytes > limit) return false;
      held += bytes;
      steer();
      return true;
    },
    give: (bytes) => {
      held -= bytes;
      steer();
    },
    valve,
  };
};
