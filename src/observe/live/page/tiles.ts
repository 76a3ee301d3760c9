import { sayCount, sayRate } from '../model/format.ts';
import type { TileValues } from '../model/wire.ts';
import { make, makeSvg, setAttribute, setClass, setText } from './dom.ts';

interface Tile {
  readonly name: string;
  readonly title: string;
  /** What it shows of the seconds so far, the oldest first. */
  readonly value: (values: readonly number[]) => number;
  readonly say: (value: number) => string;
  readonly tone: (value: number) => string;
}

/** The mean of the last seconds, so that the figure can be read. */
const recent = (values: readonly number[]): number =>
  values.slice(-3).reduce((sum, value) => sum + value, 0) / Math.max(1, Math.min(3, values.length));
const last = (values: readonly number[]): number => values.at(-1) ?? 0;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const calm = (): string => 'muted';
const perSecond = (value: number): string =>
  `${value < 10 ? Math.round(value * 10) / 10 : sayCount(Math.round(value))} /s`;

/** In the order of `TileValues`. */
const TILES: readonly Tile[] = [
  { name: 'Requests', title: 'Finished requests a second', value: recent, say: perSecond, tone: () => 'good' },
  { name: 'To clients', title: 'Bytes of bodies', value: recent, say: sayRate, tone: () => 'good' },
  { name: 'From sources', title: 'Bytes of feeds, not of disks', value: recent, say: sayRate, tone: () => 'good' },
  { name: 'Streams', title: 'Requests that run', value: last, say: sayCount, tone: calm },
  {
    name: 'Paused by client',
    title: 'Streams whose client takes nothing at present',
    value: last,
    say: sayCount,
    tone: (value) => (value > 0 ? 'slow' : 'muted'),
  },
  {
    name: 'Resumed, 5 min',
    title: 'Bodies that another connection continued',
    value: sum,
    say: sayCount,
    tone: (value) => (value > 0 ? 'busy' : 'muted'),
  },
  {
    name: 'Cut, 5 min',
    title: 'Bodies that could not be completed: should be 0',
    value: sum,
    say: sayCount,
    tone: (value) => (value > 0 ? 'bad' : 'good'),
  },
  { name: 'Saves pending', title: 'Save requests that wait', value: last, say: sayCount, tone: calm },
];

/** Seconds that a line shows: at most, and at least. */
const SHOWN = 180;
const LEAST = 40;

/** The tiles; call the result with the seconds so far. */
export const makeTiles = (list: Element): ((seconds: readonly TileValues[]) => void) => {
  const made = TILES.map((tile) => {
    const line = makeSvg('polyline', { points: '' });
    const value = make('span', 'value');
    const svg = makeSvg('svg', { viewBox: '0 0 100 24', preserveAspectRatio: 'none', 'aria-hidden': 'true' }, line);
    const item = make('li', '', make('span', 'name', tile.name), value, svg);
    item.title = tile.title;
    list.append(item);
    return { tile, value, line, svg };
  });
  return (seconds) => {
    for (const [index, { tile, value, line, svg }] of made.entries()) {
      const values = seconds.map((second) => second[index] ?? 0);
      const figure = tile.value(values);
      setText(value, tile.say(figure));
      setClass(value, `value${tile.tone(figure) === 'bad' ? ' bad' : ''}`);
      setAttribute(svg, 'class', tile.tone(figure));
      setAttribute(line, 'points', pointsOf(values.slice(-SHOWN)));
    }
  };
};

const pointsOf = (values: readonly number[]): string => {
  const most = Math.max(1, ...values);
  const step = 100 / Math.max(LEAST, values.length - 1);
  const first = 100 - (values.length - 1) * step;
  return values
    .map((value, at) => `${(first + at * step).toFixed(1)},${(22 - (20 * value) / most).toFixed(1)}`)
    .join(' ');
};
