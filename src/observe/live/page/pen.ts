import { isOnDisk } from '../model/disk.ts';
import type { Theme } from './theme.ts';

type Named = Exclude<keyof Theme, 'lanes'>;
type Colour = Named | (string & {});

const FONT = '11px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif';

/** The columns that a picture has. */
interface Room {
  readonly left: number;
  readonly right: number;
}

/** Draws on a canvas, in the colours of the theme. */
export interface Pen {
  readonly context: CanvasRenderingContext2D;
  laneColour(lane: number, name: string): string;
  clip(left: number, top: number, right: number, bottom: number): void;
  unclip(): void;
  line(from: number, to: number, y: number, colour: Colour, width: number): void;
  dots(from: number, to: number, y: number, colour: Colour): void;
  /** A thin vertical line of the grid. */
  rule(x: number, top: number, height: number): void;
  circle(x: number, y: number, radius: number, colour: Colour): void;
  diamond(x: number, y: number, colour: Colour): void;
  cross(x: number, y: number): void;
  bar(x: number, y: number, colour: Colour): void;
  curve(x1: number, y1: number, x2: number, y2: number): void;
  text(text: string, x: number, y: number, colour: Colour, align?: CanvasTextAlign): void;
  /** The same from x on, or further left if it would pass the right end. */
  textWithin(text: string, x: number, y: number, room: Room, colour: Colour): void;
  /**
   * The first of these texts that fits at the right of a mark; otherwise the first one that fits at its
   * left, or as much of the last one as fits there.
   */
  beside(texts: readonly string[], x: number, y: number, room: Room, colour: Colour): void;
}

export const makePen = (context: CanvasRenderingContext2D, theme: Theme): Pen => {
  const of = (colour: Colour): string => (colour in theme ? String(theme[colour as Named]) : colour);
  const stroke = (colour: Colour, width: number) => {
    context.strokeStyle = of(colour);
    context.lineWidth = width;
    context.stroke();
  };
  context.font = FONT;
  context.textBaseline = 'middle';
  context.lineCap = 'round';
  const pen: Pen = {
    context,
    laneColour: (lane, name) =>
      name === 'saved' || isOnDisk(name) ? theme.saved : (theme.lanes[lane % theme.lanes.length] ?? theme.ink),
    clip: (left, top, right, bottom) => {
      context.save();
      context.beginPath();
      context.rect(left, top, right - left, bottom - top);
      context.clip();
    },
    unclip: () => context.restore(),
    line: (from, to, y, colour, width) => {
      context.beginPath();
      context.moveTo(from, y);
      context.lineTo(to, y);
      stroke(colour, width);
    },
    dots: (from, to, y, colour) => {
      if (to <= from) return;
      context.setLineDash([1, 4]);
      context.beginPath();
      context.moveTo(from, y);
      context.lineTo(to, y);
      stroke(colour, 1.8);
      context.setLineDash([]);
    },
    rule: (x, top, height) => {
      context.fillStyle = theme.grid;
      context.fillRect(Math.round(x), top, 1, height);
    },
    circle: (x, y, radius, colour) => {
      context.fillStyle = of(colour);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    },
    diamond: (x, y, colour) => {
      context.beginPath();
      context.moveTo(x - 5, y);
      context.lineTo(x, y - 5.5);
      context.lineTo(x + 5, y);
      context.lineTo(x, y + 5.5);
      context.closePath();
      context.fillStyle = theme.card;
      context.fill();
      stroke(colour, 1.6);
    },
    cross: (x, y) => {
      context.beginPath();
      context.moveTo(x - 5, y - 5);
      context.lineTo(x + 5, y + 5);
      context.moveTo(x + 5, y - 5);
      context.lineTo(x - 5, y + 5);
      stroke('bad', 1.8);
    },
    bar: (x, y, colour) => {
      context.beginPath();
      context.moveTo(x, y - 7);
      context.lineTo(x, y + 7);
      stroke(colour, 2.4);
    },
    curve: (x1, y1, x2, y2) => {
      const middle = (y1 + y2) / 2;
      context.beginPath();
      context.moveTo(x1, y1 + Math.sign(y2 - y1) * 6);
      context.bezierCurveTo(x1, middle + 4, x2 - 4, middle - 4, x2, y2 - Math.sign(y2 - y1) * 6);
      stroke('muted', 1);
    },
    text: (text, x, y, colour, align = 'left') => {
      context.textAlign = align;
      context.fillStyle = of(colour);
      context.fillText(text, x, y);
    },
    textWithin: (text, x, y, room, colour) => {
      const last = room.right - context.measureText(text).width;
      pen.text(text, Math.max(room.left, Math.min(x, last)), y, colour);
    },
    beside: (texts, x, y, room, colour) => {
      const widthOf = (one: string) => context.measureText(one).width;
      const atRight = texts.find((one) => x + 11 + widthOf(one) <= room.right + 8);
      const most = x - 11 - room.left;
      const text = atRight ?? texts.find((one) => widthOf(one) <= most) ?? label(pen, texts.at(-1) ?? '', most);
      if (text === '') return;
      const width = widthOf(text);
      const left = atRight === undefined ? x - 11 - width : x + 11;
      context.fillStyle = theme.card;
      context.globalAlpha = 0.82;
      context.fillRect(left - 3, y - 8, width + 6, 16);
      context.globalAlpha = 1;
      pen.text(text, left, y, colour);
    },
  };
  return pen;
};

/** A text cut to a width, at its front: names of hosts differ there least. */
export const label = ({ context }: Pen, text: string, width: number): string => {
  if (context.measureText(text).width <= width) return text;
  let short = text;
  while (short.length > 3 && context.measureText(`${short}…`).width > width) short = short.slice(0, -1);
  return `${short}…`;
};
