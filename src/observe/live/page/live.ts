import { sayCount, sayTime } from '../model/format.ts';
import { orderOf } from '../model/order.ts';
import { applyFrame, applySnapshot, emptyState } from '../model/state.ts';
import type { Stream } from '../model/stream.ts';
import type { TileValues } from '../model/wire.ts';
import { EVENTFUL, wordOf } from '../model/words.ts';
import { makeBoard } from './board.ts';
import { followRequest, showHistory, showKeys, showRequest } from './dialogs.ts';
import { byId, setText } from './dom.ts';
import { onKeys } from './keys.ts';
import { makeLegend } from './legend.ts';
import { makePicture } from './picture.ts';
import { makeSide } from './side.ts';
import { followTheme } from './theme.ts';
import { makeTiles } from './tiles.ts';

/** Streams that are shown one by one; the others are in their groups. */
const ROWS = 24;
/** Rows that are shown even if the window has no room for them. */
const LEAST = 3;
/** Milliseconds between two looks at the order of the streams. */
const REORDER = 1000;
/** Milliseconds between two changes of the texts. */
const REFRESH = 200;
const SPANS: readonly number[] = [10_000, 30_000, 300_000];

const state = emptyState();
const view = { span: 30_000, filter: '', onlyEventful: false, held: false, connected: false };
const theme = followTheme(() => redraw());
const board = makeBoard();
const picture = makePicture(board, theme);
const showTiles = makeTiles(byId('tiles', HTMLElement));
const showSide = makeSide(byId('side', HTMLElement));
const still = matchMedia('(prefers-reduced-motion: reduce)');
let shown: readonly Stream[] = [];
let orderedAt = Number.NEGATIVE_INFINITY;
let receivedAt = 0;
/** Whether the texts are older than the state. */
let fresh = false;
let refreshedAt = Number.NEGATIVE_INFINITY;
let heldAt = 0;

/** The present by the clock of the server. A held picture stays where it is. */
const clock = (): number => {
  if (view.held) return heldAt;
  const now = state.at + Math.min(2000, performance.now() - receivedAt);
  return still.matches ? Math.floor(now / 1000) * 1000 : now;
};

const reorder = (now: number): void => {
  orderedAt = performance.now();
  const { filter, span, onlyEventful } = view;
  const ids = shown.map(({ id }) => id);
  const wanted = orderOf(state.streams.values(), { now, span, limit: ROWS, filter, onlyEventful, shown: ids });
  const room = board.room();
  let height = 0;
  shown = wanted.filter((stream, index) => {
    height += board.heightOf(stream, now);
    return index < LEAST || height <= room || filter !== '' || wordOf(stream, now, span).weight >= EVENTFUL;
  });
};

/** Texts. */
const refresh = (): void => {
  fresh = false;
  refreshedAt = performance.now();
  const now = clock();
  if (performance.now() - orderedAt >= REORDER) {
    reorder(now);
    followRequest(state.streams, theme(), now);
  }
  shown = shown.map(({ id }) => state.streams.get(id)).filter((stream) => stream !== undefined);
  board.show(state, shown, now, view.span);
  showTiles(state.tiles);
  if (state.side) showSide(state.side, now);
  setText(byId('status', HTMLElement), statusOf(now));
  setText(byId('summary', HTMLElement), summaryOf());
  const empty = byId('empty', HTMLElement);
  empty.hidden = shown.length > 0;
  setText(
    empty,
    view.filter || view.onlyEventful
      ? 'No stream of the last moments fits.'
      : 'No streams. They appear here as soon as somebody asks for something.',
  );
  picture.resized();
};

const statusOf = (now: number): string => {
  if (!view.connected || !state.side) return 'not connected, trying again';
  const { ready, degraded, packages, process } = state.side;
  const parts = [ready ? 'ready' : 'not ready: the catalog is unavailable', `up ${sayTime(now - process.started)}`];
  if (process.workers) parts.push(`${process.workers} workers`);
  if (packages) parts.push(`${sayCount(packages)} packages`);
  if (degraded.length > 0) parts.push(`${degraded.length} not working`);
  if (view.held) parts.push('picture held');
  return parts.join(' · ');
};

const summaryOf = (): string => {
  const hidden = state.streams.size - shown.length + state.beyond;
  const more = hidden > 0 ? `${sayCount(hidden)} more streams are in their groups and in the history. ` : '';
  return `${finishedOf(state.tiles)}${more}h: history · e: ${view.onlyEventful ? 'all streams' : 'only eventful ones'} · space: hold the picture · ?: keys`;
};

/** In the order of `TileValues`. */
const finishedOf = (tiles: readonly TileValues[]): string => {
  let [resumed, cut, replaced] = [0, 0, 0];
  for (const second of tiles) {
    resumed += second[5];
    cut += second[6];
    replaced += second[8];
  }
  const finished = `Finished: ${sayCount(tiles.at(-1)?.[0] ?? 0)} in the last second`;
  return `${finished} · ${resumed} resumed, ${replaced} replaced, ${cut} cut in the last 5 minutes. `;
};

const redraw = (): void => {
  reorder(clock());
  refresh();
};

let events: EventSource | undefined;
/** Begins with a snapshot. The connection before it ends after that, so that the server still has its viewer. */
const connect = (): void => {
  const before = events;
  const source = new EventSource('/events');
  events = source;
  const take = (apply: (data: never) => void) => (event: MessageEvent<string>) => {
    if (view.held || source !== events) return;
    apply(JSON.parse(event.data) as never);
    receivedAt = performance.now();
    view.connected = true;
    fresh = true;
  };
  source.addEventListener('open', () => before?.close());
  source.addEventListener(
    'snapshot',
    take((data) => applySnapshot(state, data)),
  );
  source.addEventListener(
    'frame',
    take((data) => applyFrame(state, data)),
  );
  source.addEventListener('error', () => {
    view.connected = false;
    setText(byId('status', HTMLElement), statusOf(clock()));
  });
};

const showAddressed = (): void => {
  const id = new URLSearchParams(location.hash.slice(1)).get('id');
  if (id !== null) void showRequest(id, state.streams.get(id), theme(), clock());
};

const filter = byId('filter', HTMLInputElement);
filter.addEventListener('input', () => {
  view.filter = filter.value.trim();
  redraw();
});
byId('help', HTMLElement).addEventListener('click', showKeys);
byId('dialog', HTMLDialogElement).addEventListener('close', () => {
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
});
addEventListener('hashchange', showAddressed);
addEventListener('resize', redraw);
makeLegend(byId('legend', HTMLElement));

onKeys({
  clear: () => {
    filter.value = '';
    filter.dispatchEvent(new Event('input'));
    filter.blur();
  },
  eventful: () => {
    view.onlyEventful = !view.onlyEventful;
    redraw();
  },
  hold: () => {
    heldAt = clock();
    view.held = !view.held;
    // The frames that were not taken over are made up for by a snapshot.
    if (!view.held) connect();
    refresh();
  },
  span: (index) => {
    view.span = SPANS[index] ?? view.span;
    redraw();
  },
  history: () => void showHistory(),
  help: showKeys,
});

let drawnAt = Number.NEGATIVE_INFINITY;
const draw = (time: number): void => {
  requestAnimationFrame(draw);
  if (fresh && time - refreshedAt >= REFRESH) refresh();
  if (state.at === 0 || (still.matches && time - drawnAt < 1000)) return;
  drawnAt = time;
  picture.draw(state, shown, clock(), view.span);
};

connect();
showAddressed();
requestAnimationFrame(draw);
