import type { TileValues } from './model/wire.ts';
import type { SeenTraffic } from './traffic.ts';

/** Seconds that are remembered. */
const SECONDS = 300;

/** The tiles' last minutes. Kept always. */
export interface Tiles {
  /** Call it for each request that is over, or with their number. */
  finished(count?: number): void;
  /** Call it once a second. */
  second(): void;
  /** The last seconds, the oldest first. */
  readonly values: readonly TileValues[];
  /** Seconds since the start. */
  readonly count: number;
}

interface Measured {
  readonly traffic: Pick<SeenTraffic, 'count' | 'bytes' | 'resumed' | 'replaced' | 'cut'>;
  /** Bytes that came from feeds since the start. */
  readonly received: () => number;
  /** Save requests that wait. */
  readonly pending: () => number;
}

export const createTiles = ({ traffic, received, pending }: Measured): Tiles => {
  const values: TileValues[] = [];
  let count = 0;
  let requests = 0;
  let before = { sent: 0, received: 0, resumed: 0, replaced: 0, cut: 0 };

  return {
    values,
    get count() {
      return count;
    },
    finished: (count = 1) => {
      requests += count;
    },
    second: () => {
      const { streams, paused } = traffic.count();
      const { bytes: sent, resumed, replaced, cut } = traffic;
      const sums = { sent, received: received(), resumed, replaced, cut };
      const since = (name: keyof typeof sums) => sums[name] - before[name];
      values.push([
        requests,
        since('sent'),
        since('received'),
        streams,
        paused,
        since('resumed'),
        since('cut'),
        pending(),
        since('replaced'),
      ]);
      if (values.length > SECONDS) values.shift();
      count += 1;
      requests = 0;
      before = sums;
    },
  };
};
