import { sayBytes, sayCount, sayRate, saySource, shortPath } from '../model/format.ts';
import type { LiveState, ShownGroup } from '../model/state.ts';
import type { Stream } from '../model/stream.ts';
import { EVENTFUL, proofOf, rateOf, sentenceOf, wordOf } from '../model/words.ts';
import { byId, make, pool, setAttribute, setClass, setText } from './dom.ts';
import { LANE, TOP } from './frame.ts';
import { laneCount } from './lanes.ts';

/** The rows of streams and groups: their texts. What moves is drawn on the canvas above them. */
export interface Board {
  /** Shows these streams, from above, and the groups. */
  show(state: LiveState, streams: readonly Stream[], now: number, span: number): void;
  /** Where the rows are, in pixels of the board. */
  places(): readonly number[];
  groupPlaces(): readonly number[];
  readonly groups: readonly ShownGroup[];
  /** Pixels of a row, and those that the window has for rows. */
  heightOf(stream: Stream, now: number): number;
  room(): number;
}

/** Groups that are shown: those with most requests. */
const GROUPS = 8;
/** Pixels for what is below the rows. */
const BELOW = 80;
/** Pixels between two rows. */
const GAP = 8;
/** At phone width the texts are above the lanes. */
const HEADING = 56;

const rowOf = () => {
  const link = make(
    'a',
    '',
    make('div', '', make('div', 'name'), make('div', 'meta')),
    make('div', 'middle'),
    make('div', 'state', make('div', 'word'), make('div', 'proof'), make('progress')),
  );
  return make('li', '', link);
};

const part = (item: Element, name: string): Element => item.querySelector(name) ?? item;

export const isNarrow = (): boolean => matchMedia('(max-width: 760px)').matches;

const heightOf = (stream: Stream, now: number, narrow: boolean): number =>
  laneCount(stream, now) * LANE + 2 * TOP + (narrow ? HEADING : 0);

const fillRow = (item: HTMLElement, stream: Stream, now: number, span: number, narrow: boolean): number => {
  const { facts } = stream;
  const link = part(item, 'a');
  const word = wordOf(stream, now, span);
  const slash = facts.path.lastIndexOf('/');
  setAttribute(link, 'href', `#id=${encodeURIComponent(stream.id)}`);
  setAttribute(link, 'aria-label', sentenceOf(stream));
  setText(part(link, '.name'), shortPath(facts.path.slice(Math.max(0, slash)).replace('/', '') || facts.path, 60));
  setAttribute(part(link, '.name'), 'title', facts.path);
  const parts = [
    facts.length === undefined ? sayBytes(facts.sent) : sayBytes(facts.length),
    facts.client && `client ${facts.client}`,
    facts.outcome === undefined && word.weight >= EVENTFUL && facts.sent > 0 && sayRate(rateOf(stream, now)),
    stream.marks.some(({ kind }) => kind === 'shared') && 'shared',
  ];
  setText(part(link, '.meta'), parts.flatMap((one) => (one ? [one.replaceAll(' ', '\u{a0}')] : [])).join(' · '));
  setText(part(link, '.word'), word.text);
  setClass(part(link, '.word'), `word ${word.tone}`);
  const runs = facts.outcome === undefined;
  setText(part(link, '.proof'), runs || narrow ? proofOf(stream) : '');
  const bar = part(link, 'progress') as HTMLProgressElement;
  bar.hidden = !runs || !facts.length || facts.length < 1024 * 1024;
  if (!bar.hidden) bar.value = facts.sent / (facts.length ?? 1);
  const height = heightOf(stream, now, narrow);
  item.style.height = `${height}px`;
  return height;
};

export const makeBoard = (): Board => {
  const rows = pool(byId('streams', HTMLOListElement), rowOf);
  const list = byId('groups', HTMLUListElement);
  const filter = byId('filter', HTMLInputElement);
  const more = byId('more', HTMLElement);
  const board = byId('board', HTMLElement);
  let places: number[] = [];
  let groups: readonly ShownGroup[] = [];
  let narrow = isNarrow();
  const strips = pool(list, () => {
    const button = make('button', '', make('span', 'name'), make('span', 'middle'), make('span', 'count'));
    button.type = 'button';
    button.addEventListener('click', () => {
      filter.value = button.dataset.filter ?? '';
      filter.dispatchEvent(new Event('input'));
    });
    return make('li', '', button);
  });

  /** The stream that has the focus keeps it when its row moves. */
  const keepFocus = (items: readonly HTMLElement[], focused: string | null) => {
    if (focused === null) return;
    const link = items.map((item) => part(item, 'a')).find((one) => one.getAttribute('href') === focused);
    if (link instanceof HTMLElement && link !== document.activeElement) link.focus({ preventScroll: true });
  };

  return {
    show: (state, streams, now, span) => {
      narrow = isNarrow();
      const { activeElement } = document;
      const focused = activeElement?.closest('#streams') ? activeElement.getAttribute('href') : null;
      const items = rows(streams.length);
      let top = 0;
      places = [];
      for (const [index, stream] of streams.entries()) {
        const item = items[index];
        if (!item) break;
        places.push(top + (narrow ? HEADING : 0));
        top += fillRow(item, stream, now, span, narrow) + GAP;
      }
      keepFocus(items, focused);
      groups = state.groups
        .filter(({ cells, running }) => running > 0 || (cells.at(-1)?.[0] ?? 0) > now - span)
        .toSorted((a, b) => b.running - a.running || (b.cells.at(-1)?.[0] ?? 0) - (a.cells.at(-1)?.[0] ?? 0))
        .slice(0, GROUPS);
      more.hidden = groups.length === 0;
      for (const [index, item] of strips(groups.length).entries()) {
        const group = groups[index];
        if (!group) break;
        const button = part(item, 'button') as HTMLButtonElement;
        const name = nameOf(group);
        setText(part(button, '.name'), name);
        setText(part(button, '.count'), sayCount(group.running));
        setAttribute(button, 'aria-label', `${name}: ${group.running} running`);
        button.dataset.filter = [group.prefix, saySource(group.source).replace('saved copy', 'saved')].join(' ').trim();
      }
    },
    heightOf: (stream, now) => heightOf(stream, now, narrow) + GAP,
    room: () => innerHeight - board.getBoundingClientRect().top - scrollY - more.offsetHeight - BELOW,
    places: () => places,
    groupPlaces: () => {
      const from = list.offsetTop + more.offsetTop + more.clientTop;
      const height = narrow ? 40 : 22;
      return groups.map((_, index) => from + index * height + (narrow ? 18 : 0));
    },
    get groups() {
      return groups;
    },
  };
};

const nameOf = ({ prefix, source }: ShownGroup): string =>
  source === '' ? 'waiting for a source' : source === 'others' ? 'others' : `${prefix} from ${saySource(source)}`;
