import { defer, finalize, map, type Observable, type SchedulerLike, share, timer } from 'rxjs';
import { openDetails } from './details.ts';
import { openGroups } from './groups.ts';
import { type Frame, type Side, type Snapshot, TICK } from './model/wire.ts';
import type { Tiles } from './tiles.ts';
import type { SeenTraffic } from './traffic.ts';
import type { ShowClient } from './view.ts';

export interface LiveFrame {
  /** What changed since the frame before. */
  readonly frame: Frame;
  /** All there is at this moment. Valid until the next frame. */
  readonly snapshot: () => Snapshot;
}

export interface FramesDeps {
  readonly traffic: SeenTraffic;
  readonly tiles: Pick<Tiles, 'values' | 'count'>;
  /** Called once a second. */
  readonly side: () => Side;
  /** The prefix that a path belongs to. */
  readonly prefixOf: (path: string) => string;
  readonly showClient: ShowClient;
  readonly scheduler: SchedulerLike;
}

/** Frames between two looks at what changes slowly. */
const SLOW = 1000 / TICK;

/**
 * Emits four frames a second, the first at once. Each subscription measures on its own, and nothing
 * is measured or kept without one: see `written`. Never completes.
 */
export const framesOf = (deps: FramesDeps): Observable<LiveFrame> => defer(() => watching(deps));

/** A frame as it is sent, the same for all viewers. */
export interface Written {
  readonly frame: Uint8Array;
  /** For viewers that come late, or missed a frame. Valid until the next frame. */
  readonly snapshot: () => Uint8Array;
}

/**
 * Emits each frame as bytes, to all subscribers the same: N viewers cost what one does. `frames` is
 * subscribed to while there is a subscriber.
 */
export const written = (
  frames: Observable<LiveFrame>,
  write: (name: 'frame' | 'snapshot', json: string) => Uint8Array,
): Observable<Written> =>
  frames.pipe(
    map(({ frame, snapshot }) => {
      let whole: Uint8Array | undefined;
      return {
        frame: write('frame', JSON.stringify(frame)),
        snapshot: () => {
          whole ??= write('snapshot', JSON.stringify(snapshot()));
          return whole;
        },
      };
    }),
    share(),
  );

const watching = ({ traffic, tiles, side, prefixOf, showClient, scheduler }: FramesDeps): Observable<LiveFrame> => {
  const details = openDetails(traffic, showClient);
  const groups = openGroups(traffic, prefixOf);
  const unwatch = traffic.watch({
    began: details.began,
    ended: (running) => {
      details.ended(running);
      groups.ended(running);
    },
  });
  let seconds = tiles.count;
  let known = side();
  let beyond = 0;

  const frameAt = (at: number, tick: number): Frame => {
    const { patches, gone } = details.take(at);
    const { fresh, patches: changed } = groups.take(at);
    const passed = tiles.count - seconds;
    seconds = tiles.count;
    const [knownBefore, beyondBefore] = [known, beyond];
    if (tick % SLOW === 0) known = side();
    beyond = traffic.beyond;
    return {
      at,
      ...(patches.length > 0 && { streams: patches }),
      ...(gone.length > 0 && { gone }),
      ...(fresh.length > 0 && { newGroups: fresh }),
      ...(changed.length > 0 && { groups: changed }),
      ...(passed > 0 && { tiles: tiles.values.slice(-passed) }),
      ...(known !== knownBefore && JSON.stringify(known) !== JSON.stringify(knownBefore) && { side: known }),
      ...(beyond !== beyondBefore && { beyond }),
    };
  };

  return timer(0, TICK, scheduler).pipe(
    map((tick) => {
      const at = scheduler.now();
      return {
        frame: frameAt(at, tick),
        snapshot: () => ({
          at,
          streams: details.all(),
          groups: groups.all(),
          tiles: tiles.values,
          side: known,
          beyond,
        }),
      };
    }),
    finalize(unwatch),
  );
};
