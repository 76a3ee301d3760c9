import type { LiveState, ShownGroup } from '../model/state.ts';
import type { Stream } from '../model/stream.ts';
import { TICK } from '../model/wire.ts';
import { type Board, isNarrow } from './board.ts';
import { byId, make } from './dom.ts';
import { LANE } from './frame.ts';
import { drawLanes, laneCount } from './lanes.ts';
import { makePen, type Pen } from './pen.ts';
import type { Theme } from './theme.ts';

/** The moving part of the page: one canvas over all rows. */
export interface Picture {
  draw(state: LiveState, streams: readonly Stream[], now: number, span: number): void;
  /** Call it when rows or the window have changed. */
  resized(): void;
}

/** Seconds of the ticks of each span. */
const STEPS: Readonly<Record<number, number>> = { 10000: 2, 30000: 10, 300000: 60 };

export const makePicture = (board: Board, theme: () => Theme): Picture => {
  const canvas = byId('picture', HTMLCanvasElement);
  const holder = byId('board', HTMLElement);
  const ticks = byId('ticks', HTMLElement);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser has no canvas');
  let size = { width: 0, height: 0, left: 0, right: 0 };
  let ticked = 0;

  const showTicks = (span: number) => {
    if (ticked === span) return;
    ticked = span;
    const step = (STEPS[span] ?? 10) * 1000;
    const made: HTMLElement[] = [];
    for (let back = span; back >= 0; back -= step) {
      const minutes = span > 60_000;
      const text = back === 0 ? 'now' : `−${back / (minutes ? 60_000 : 1000)} ${minutes ? 'min' : 's'}`;
      const tick = make('span', '', text);
      tick.style.left = `${(1 - back / span) * 100}%`;
      made.push(tick);
    }
    ticks.replaceChildren(...made);
  };

  const resized = () => {
    const { offsetWidth: width, offsetHeight: height } = holder;
    const area = ticks.getBoundingClientRect();
    const { left } = holder.getBoundingClientRect();
    size = { width, height, left: area.left - left, right: area.right - left };
    const scale = Math.min(2, devicePixelRatio);
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
  };

  return {
    resized,
    draw: (state, streams, now, span) => {
      showTicks(span);
      const pen = makePen(context, theme());
      const { width, height, left, right } = size;
      context.clearRect(0, 0, width, height);
      const step = ((STEPS[span] ?? 10) * 1000 * (right - left)) / span;
      const narrow = isNarrow();
      const cooling = new Map(
        (state.side?.sources ?? []).flatMap((one) =>
          one.state === 'cooling' ? [[one.name, one.until ?? now] as const] : [],
        ),
      );
      const places = board.places();
      const unit = span > 60_000 ? 10_000 : 1000;
      for (const [index, stream] of streams.entries()) {
        const top = places[index];
        if (top === undefined) continue;
        for (let x = right; x > left - 1; x -= step) pen.rule(x, top + 6, laneCount(stream, now) * LANE + 10);
        drawLanes(pen, stream, { left, right, top, from: now - span, now, unit, cooling, labels: narrow ? 86 : 134 });
      }
      for (const [index, top] of board.groupPlaces().entries()) {
        const group = board.groups[index];
        if (group) drawStrip(pen, theme(), group, { left, right, top, from: now - span, now });
      }
    },
  };
};

interface Strip {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly from: number;
  readonly now: number;
}

/** Cells of a strip: so many are seen, whatever the span. */
const CELLS = 120;

/** A cell for each moment; its darkness is the bytes. */
const drawStrip = (pen: Pen, theme: Theme, group: ShownGroup, { left, right, top, from, now }: Strip) => {
  const { context } = pen;
  const unit = Math.max(TICK, (now - from) / CELLS);
  const sums = new Map<number, number>();
  let most = 1;
  for (const [at, bytes] of group.cells) {
    if (at < from) continue;
    const cell = Math.floor(at / unit);
    const sum = (sums.get(cell) ?? 0) + bytes;
    sums.set(cell, sum);
    most = Math.max(most, sum);
  }
  const width = ((right - left) * unit) / (now - from);
  const colour =
    group.source === 'saved' ? theme.saved : group.source.startsWith('alternate:') ? theme.lanes[1] : theme.lanes[0];
  context.fillStyle = group.source === '' ? theme.slow : (colour ?? theme.ink);
  pen.clip(left, top, right + 1, top + 22);
  for (let cell = Math.floor(from / unit); cell <= Math.floor(now / unit); cell += 1) {
    const share = Math.sqrt((sums.get(cell) ?? 0) / most);
    context.globalAlpha = share === 0 ? 0.07 : 0.2 + 0.8 * share;
    const x = left + ((cell * unit - from) / (now - from)) * (right - left);
    context.fillRect(x, top + 4, Math.max(1, width - 1.4), 14);
  }
  context.globalAlpha = 1;
  pen.unclip();
};
