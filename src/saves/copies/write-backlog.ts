import { BehaviorSubject } from 'rxjs';
import type { Valve } from '../../../pipelines/operators/valve.ts';

/** The bytes of all files in the making that wait for the disk. */
export interface Backlog {
  /** Reserves room for bytes. Returns `false` if the limit would be exceeded. */
  take(bytes: number): boolean;
  give(bytes: number): void;
  /** Whether a quarter of the limit would be left beside so many bytes, for what is under way. */
  hasRoom(bytes: number): boolean;
  /**
   * `false` above `enough`, `true` again below half of it, or if the disk takes nothing for
   * `patience`: a disk that is slow may slow transfers down, one that hangs must not stop them.
   * Emits on subscription.
   */
  readonly valve: Valve;
}

interface BacklogOptions {
  /** Bytes above which the valve is closed. Default: half of the limit. */
  readonly enough?: number;
  /** Milliseconds. */
  readonly patience?: number;
}

export const makeBacklog = (limit: number, { enough = limit / 2, patience = 5000 }: BacklogOptions = {}): Backlog => {
  const valve = new BehaviorSubject(true);
  let held = 0;
  let hangs = false;
  let timer: NodeJS.Timeout | undefined;

  const move = (open: boolean) => {
    clearTimeout(timer);
    timer = open ? undefined : setTimeout(giveUp, patience).unref();
    valve.next(open);
  };
  const giveUp = () => {
    hangs = true;
    move(true);
  };
  const steer = () => {
    if (valve.value ? held > enough && !hangs : held < enough / 2) move(!valve.value);
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
      hangs = false;
      timer?.refresh();
      steer();
    },
    hasRoom: (bytes) => held + bytes <= limit * 0.75,
    valve,
  };
};
