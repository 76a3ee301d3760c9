import { diskSentence, sayCopy } from '../model/disk.ts';
import type { Finished, FinishedReport } from '../model/finished.ts';
import { sayBytes, saySource, sayTime } from '../model/format.ts';
import { streamOf } from '../model/of-report.ts';
import type { Stream } from '../model/stream.ts';
import { sentenceOf } from '../model/words.ts';
import { byId, make, setText } from './dom.ts';
import { LANE, TOP } from './frame.ts';
import { drawLanes, laneCount } from './lanes.ts';
import { makePen } from './pen.ts';
import type { Theme } from './theme.ts';

const KEYS: readonly (readonly [key: string, meaning: string])[] = [
  ['/', 'filter by path, source or client'],
  ['Space', 'hold the picture; the streams go on'],
  ['e', 'only eventful streams'],
  ['h', 'history of finished requests'],
  ['1 2 3', 'the last 10 s, 30 s, 5 min'],
  ['↑ ↓', 'choose a stream'],
  ['Enter', 'open it'],
  ['Esc', 'close, or clear the filter'],
];

const dialog = () => byId('dialog', HTMLDialogElement);

const open = (title: string, ...body: Node[]): void => {
  setText(byId('dialog-title', HTMLElement), title);
  byId('dialog-body', HTMLElement).replaceChildren(...body);
  if (!dialog().open) dialog().showModal();
  byId('dialog-title', HTMLElement).focus();
};

const table = (heads: readonly string[], rows: readonly (readonly (string | Node)[])[]): HTMLElement =>
  make(
    'table',
    '',
    ...(heads.length > 0 ? [make('thead', '', make('tr', '', ...heads.map((head) => make('th', '', head))))] : []),
    make('tbody', '', ...rows.map((cells) => make('tr', '', ...cells.map(cellOf)))),
  );

/** Only long texts may be broken. */
const cellOf = (content: string | Node): HTMLElement => {
  const cell = make('td', '', content);
  if ((cell.textContent ?? '').length > LONG) cell.className = 'wide';
  return cell;
};

const LONG = 24;

export const showKeys = (): void =>
  open(
    'Keys',
    table(
      [],
      KEYS.map(([key, meaning]) => [make('kbd', '', key), meaning]),
    ),
  );

const ask = async <T>(query: string): Promise<T | undefined> => {
  const response = await fetch(`/history${query}`);
  return response.ok ? response.json() : undefined;
};

export const showHistory = async (): Promise<void> => {
  const all = (await ask<readonly Finished[]>('')) ?? [];
  // The eventful ones first, the newest first of each kind.
  const rows = all
    .toSorted((a, b) => Number(b.eventful) - Number(a.eventful))
    .map(({ id, at, path, status, outcome, bytes, duration, source, code, copy, eventful }) => {
      const link = make('a', '', path);
      link.href = `#id=${encodeURIComponent(id)}`;
      const word = code ?? outcome;
      return [
        new Date(at).toLocaleTimeString(),
        link,
        make('span', eventful ? 'slow' : 'muted', `${status} ${word}`),
        sayBytes(bytes),
        sayTime(duration),
        saySource(source ?? ''),
        copy ? sayCopy(copy) : '',
      ];
    });
  const heads = ['at', 'path', 'outcome', 'bytes', 'took', 'source', 'copy'];
  open('Finished requests', all.length > 0 ? table(heads, rows) : make('p', 'muted', 'None so far.'));
};

/** Opens one request: its report if it has finished, otherwise what is known of it. */
export const showRequest = async (id: string, live: Stream | undefined, theme: Theme, now: number): Promise<void> => {
  const report = await ask<FinishedReport>(`?id=${encodeURIComponent(id)}`);
  const stream = live ?? (report && streamOf(report));
  if (!stream) return open('This request is no longer remembered', make('p', 'muted', id));
  const picture = make('canvas');
  open(
    report?.path ?? stream.facts.path,
    picture,
    make('p', '', sentenceOf(stream)),
    make('p', 'muted', diskSentence(stream)),
    ...(report ? tablesOf(report) : []),
  );
  const { facts, marks } = stream;
  // Its copy may have been put in its place later.
  draw(picture, stream, theme, Math.max(facts.ended ?? now, ...marks.map(({ at }) => at)));
};

const draw = (canvas: HTMLCanvasElement, stream: Stream, theme: Theme, end: number): void => {
  const [width, height] = [canvas.clientWidth, laneCount(stream, end, true) * LANE + 2 * TOP];
  canvas.width = width * 2;
  canvas.height = height * 2;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (!context) return;
  context.scale(2, 2);
  const lasted = Math.max(10, end - stream.facts.began);
  const from = stream.facts.began - lasted * 0.02;
  const now = end + lasted * 0.02;
  const unit = Math.max(1000, Math.ceil(lasted / 60_000) * 1000);
  drawLanes(makePen(context, theme), stream, {
    ...{ left: 120, right: width - 8, top: 0, from, now, unit },
    cooling: new Map(),
    labels: 108,
    all: true,
  });
};

const tablesOf = (report: FinishedReport): readonly Node[] => [
  table(
    ['source', 'URL', 'from', 'failure'],
    report.attempts.map(({ source, url, from, code, message }) => [
      saySource(source),
      url,
      `byte ${from.toLocaleString('en')}`,
      code ? make('span', 'bad', `${code}: ${message}`) : '',
    ]),
  ),
  table(
    ['', 'what', 'detail'],
    report.timeline.map(({ at, what, detail }) => [make('span', 'muted', sayTime(at)), what, detail]),
  ),
];
