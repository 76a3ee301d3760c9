import { applyPatch, emptyStream, type Stream } from './stream.ts';
import {
  type Frame,
  type Group,
  LOOK_BACK,
  type Patch,
  type Side,
  type Snapshot,
  TICK,
  type TileValues,
} from './wire.ts';

export interface ShownGroup extends Group {
  running: number;
  readonly cells: (readonly [at: number, bytes: number])[];
}

/** Everything that a viewer knows, put together from a snapshot and the frames after it. */
export interface LiveState {
  readonly streams: Map<string, Stream>;
  readonly groups: ShownGroup[];
  readonly tiles: TileValues[];
  side: Side | undefined;
  /** The time of the last frame, by the clock of the server. */
  at: number;
  beyond: number;
}

/** Seconds of the tiles that are remembered. */
const SECONDS = LOOK_BACK / 1000;

export const emptyState = (): LiveState => ({
  streams: new Map(),
  groups: [],
  tiles: [],
  side: undefined,
  at: 0,
  beyond: 0,
});

export const applySnapshot = (state: LiveState, { at, streams, groups, tiles, side, beyond }: Snapshot): void => {
  state.streams.clear();
  state.at = at;
  for (const patch of streams) patchOne(state, patch);
  state.groups.splice(0, state.groups.length, ...groups.map((group) => ({ ...group, cells: [...group.cells] })));
  state.tiles.splice(0, state.tiles.length, ...tiles);
  state.side = side;
  state.beyond = beyond;
};

export const applyFrame = (state: LiveState, frame: Frame): void => {
  const { at } = frame;
  state.at = at;
  for (const id of frame.gone ?? []) state.streams.delete(id);
  for (const patch of frame.streams ?? []) patchOne(state, patch);
  for (const group of frame.newGroups ?? []) state.groups.push({ ...group, running: 0, cells: [] });
  for (const group of state.groups) group.running = 0;
  const quarter = Math.floor(at / TICK) * TICK;
  for (const [index, bytes, running] of frame.groups ?? []) {
    const group = state.groups[index];
    if (!group) continue;
    group.running = running;
    if (bytes > 0) group.cells.push([quarter, bytes]);
    const kept = group.cells.findIndex(([then]) => then >= at - LOOK_BACK);
    if (kept > 0) group.cells.splice(0, kept);
  }
  if (frame.tiles) state.tiles.push(...frame.tiles);
  if (state.tiles.length > SECONDS) state.tiles.splice(0, state.tiles.length - SECONDS);
  state.side = frame.side ?? state.side;
  state.beyond = frame.beyond ?? state.beyond;
};

const patchOne = (state: LiveState, patch: Patch): void => {
  let stream = state.streams.get(patch.id);
  if (!stream) {
    stream = emptyStream(patch.id);
    state.streams.set(patch.id, stream);
  }
  applyPatch(stream, patch, state.at);
};
