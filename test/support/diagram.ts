import { isNote, type StreamEvent } from '../../pipelines/index.ts';
import type { History, Track } from './world.ts';

/**
 * A history as a marble diagram. It has a column for each frame with an event. It has a line for
 * the consumer's valve, for each request to a source, and for the consumer's events. There `n` is a
 * note, `H` the head and `E` the end. Repeated columns are drawn once.
 *
 * ```
 * frame   0     1  2   3…5  6
 * valve   o-----------------------
 * s0@0    ^-----h--2b--1b---|
 * result  (nn)--H--2b--1b---(1bE|)
 * ```
 */
export const diagram = ({ events, ending, tracks, moves }: History): string => {
  const last = { complete: '|', error: '#', left: '!' }[ending.kind];
  const lines: readonly Track[] = [
    { name: 'valve', marks: moves.map(([frame, open]) => [frame, open ? 'o' : 'x']) },
    ...tracks,
    {
      name: 'result',
      marks: [...events.map(([frame, event]) => [frame, markOf(event)] as const), [ending.frame, last]],
    },
  ];
  const frames = [...new Set(lines.flatMap(({ marks }) => marks.map(([frame]) => frame)))].sort((a, b) => a - b);
  const columns = folded(
    frames.map((frame) => ({ title: `${frame}`, cells: lines.map((line) => cellOf(line, frame)) })),
  );

  const names = ['frame', ...lines.map(({ name }) => name)];
  const left = Math.max(...names.map(({ length }) => length)) + 2;
  const picture = names.map((name) => name.padEnd(left));
  for (const { title, cells } of columns) {
    const width = Math.max(title.length, ...cells.map(({ text }) => text.length)) + 2;
    picture[0] += title.padEnd(width);
    for (const [index, { text, goesOn }] of cells.entries())
      picture[index + 1] += text.padEnd(width, goesOn ? '-' : ' ');
  }
  const error = ending.kind === 'error' ? [`${ending.error}`] : [];
  return [...picture.map((line) => line.trimEnd()), ...error].join('\n');
};

const markOf = (event: StreamEvent): string => {
  if (event.type === 'chunk') return `${event.bytes.length}b`;
  return isNote(event) ? 'n' : event.type.charAt(0).toUpperCase();
};

interface Cell {
  readonly text: string;
  /** Whether its line continues. */
  readonly goesOn: boolean;
}

const cellOf = ({ marks }: Track, frame: number): Cell => {
  const now = marks.filter(([at]) => at === frame).map(([, mark]) => mark);
  const begun = marks.some(([at]) => at <= frame);
  const goesOn = begun && marks.some(([at]) => at > frame);
  const text = now.length > 1 ? `(${now.join('')})` : (now[0] ?? (goesOn ? '-' : ''));
  return { text, goesOn };
};

interface Column {
  readonly title: string;
  readonly cells: readonly Cell[];
}

const folded = (columns: readonly Column[]): readonly Column[] => {
  const kept: { from: string; to: string; cells: readonly Cell[] }[] = [];
  for (const { title, cells } of columns) {
    const before = kept.at(-1);
    if (before && JSON.stringify(before.cells) === JSON.stringify(cells)) before.to = title;
    else kept.push({ from: title, to: title, cells });
  }
  return kept.map(({ from, to, cells }) => ({ title: from === to ? from : `${from}…${to}`, cells }));
};
