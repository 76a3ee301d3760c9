import { applyFrame, emptyState } from '../../src/observe/live/model/state.ts';
import { asPatch } from '../../src/observe/live/model/stream.ts';
import {
  CLIENT,
  COPY,
  type Frame,
  LOOK_BACK,
  type Patch,
  type Side,
  type Snapshot,
  TICK,
} from '../../src/observe/live/model/wire.ts';

/** Frames of a busy daemon, as fast as they are asked for. */
export interface Simulation {
  /** The next quarter of a second. */
  next(): Frame;
  snapshot(): Snapshot;
}

const START = 1_700_000_000_000;
/** Streams that run at a time. */
const RUNNING = 40;

const sideAt = (at: number): Side => ({
  ready: true,
  degraded: [],
  sources: [{ name: 'feed:cdn', rate: at % 1_000_003, state: 'well' }],
  prefixes: [],
  morePrefixes: 0,
  process: { memory: 1 << 28, delay: 1, started: START, version: '1' },
});

/** Eight streams begin and end each second: every tenth is resumed, others pause. A copy is kept of each. */
export const simulate = (): Simulation => {
  const state = emptyState();
  const over: { readonly id: string; readonly at: number }[] = [];
  let running: string[] = [];
  let count = 0;
  state.at = START;
  state.side = sideAt(START);

  const begin = (at: number): Patch => {
    const id = `stream-${count++}`;
    running.push(id);
    return {
      id,
      facts: {
        ...{ path: `/el9/Packages/${id}.rpm`, client: '10.0.0.1', began: at, sent: 0, paused: 0, length: 1 << 24 },
        ...{ copy: 'making', copied: 0 },
      },
      lanes: ['feed:a', 'feed:b', COPY],
      marks: [
        { at, lane: 0, kind: 'attempt' },
        { at, lane: 0, kind: 'head' },
        { at, lane: 2, kind: 'begun' },
        ...(count % 10 === 0
          ? [{ at, lane: 0, kind: 'failed', text: 'STALLED' } as const, { at, lane: 1, kind: 'resumed' } as const]
          : []),
      ],
    };
  };
  const end = (id: string, at: number): Patch => {
    over.push({ id, at });
    return {
      id,
      facts: { outcome: 'complete', ended: at, copy: 'kept' },
      marks: [
        { at, lane: 0, kind: 'end' },
        { at, lane: 2, kind: 'kept' },
      ],
    };
  };

  return {
    next: () => {
      const at = state.at + TICK;
      const second = Math.floor(at / 1000) * 1000;
      const ending = running.length >= RUNNING ? running.slice(0, 2) : [];
      running = running.slice(ending.length);
      const moving = running.map(
        (id): Patch => ({
          id,
          facts: { sent: at % 5_000_011, copied: at % 5_000_011 },
          bytes: [
            [second, 0, 65_536],
            [second, 2, 65_536],
            [second, CLIENT, 60_000],
          ],
          closed: [[second, 40]],
        }),
      );
      const gone: string[] = [];
      while ((over[0]?.at ?? at) < at - LOOK_BACK) gone.push(over.shift()?.id ?? '');
      const frame: Frame = {
        at,
        streams: [...ending.map((id) => end(id, at)), ...moving, begin(at), begin(at)],
        gone,
        ...(count === 2 && { newGroups: [{ prefix: '/el9', source: 'feed:a' }] }),
        groups: [[0, 1 << 20, running.length]],
        ...(at % 1000 === 0 && { tiles: [[8, 1 << 20, 1 << 20, RUNNING, 3, 0, 0, 1, 0]], side: sideAt(at) }),
      };
      applyFrame(state, frame);
      return frame;
    },
    snapshot: () => ({
      at: state.at,
      streams: [...state.streams.values()].map(asPatch),
      groups: state.groups,
      tiles: state.tiles,
      side: state.side ?? sideAt(state.at),
      beyond: 0,
    }),
  };
};
