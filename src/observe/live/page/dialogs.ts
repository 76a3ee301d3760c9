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
  const heading = byId('dialog-title', HTMLElement);
  setText(heading, title);
  byId('dialog-body', HTMLElement).replaceChildren(...body);
  followed = undefined;
  const isNew = !dialog().open;
  if (isNew) dialog().showModal();
  if (isNew || !dialog().contains(document.activeElement)) heading.focus();
};

/** The request in the dialog, if more may happen to it. */
let followed: { readonly id: string; asked: boolean; show(stream: Stream, now: number): void } | undefined;

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
export const showRequest = async (id: string, live: Stream | undefined, theme: Theme, now: number): Promise<void> =>
  present(id, live, await reportOf(id), theme, now);

const reportOf = (id: string) => ask<FinishedReport>(`?id=${encodeURIComponent(id)}`);

const present = (
  id: string,
  live: Stream | undefined,
  report: FinishedReport | undefined,
  theme: Theme,
  at: number,
): void => {
  const stream = live ?? (report && streamOf(report));
  if (!stream) {
    open('This request is no longer remembered', make('p', 'muted', id));
    return;
  }
  const [picture, sentence, disk] = [make('canvas'), make('p'), make('p', 'muted')];
  open(report?.path ?? stream.facts.path, picture, sentence, disk, ...(report ? tablesOf(report) : []));
  const show = (one: Stream, now: number): void => {
    const { facts, marks } = one;
    setText(sentence, sentenceOf(one));
    setText(disk, diskSentence(one));
    // Its copy may have been put in its place later.
    draw(picture, one, theme, Math.max(facts.ended ?? now, ...marks.map(({ at }) => at)));
  };
  show(stream, at);
  followed = { id, asked: report !== undefined, show };
};

/** Shows what has happened meanwhile to the request in the dialog; with its report once it has finished. */
export const followRequest = (streams: ReadonlyMap<string, Stream>, theme: Theme, now: number): void => {
  const one = dialog().open ? followed : undefined;
  const stream = one && streams.get(one.id);
  if (!one || !stream) return;
  one.show(stream, now);
  if (!stream.facts.outcome || one.asked) return;
  one.asked = true;
  void reportOf(one.id).then((report) => {
    if (report && followed === one && dialog().open) present(one.id, stream, report, theme, now);
  });
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
