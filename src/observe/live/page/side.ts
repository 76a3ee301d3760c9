import { sayBytes, sayCount, sayRate, saySource, sayTime } from '../model/format.ts';
import type { PrefixState, Side, SourceState } from '../model/wire.ts';
import { make } from './dom.ts';

/** The right column: sources, prefixes, saves, process. Made again when it changes, once a second at most. */
export const makeSide = (aside: Element): ((side: Side, now: number) => void) => {
  let shown = '';
  return (side, now) => {
    const sections = [
      section(
        'Sources',
        side.sources.map((one) => sourceLine(one, now)),
        'none used so far',
      ),
      section(
        'Prefixes',
        [
          ...side.prefixes.map((one) => prefixLine(one, now)),
          ...(side.morePrefixes > 0 ? [plain(`and ${sayCount(side.morePrefixes)} more`, 'muted')] : []),
        ],
        'none imported or followed',
      ),
      section('Saves', savesLines(side), 'nothing is saved'),
      section('Process', [
        plain(`event loop p99 ${side.process.delay} ms`),
        plain(`${sayBytes(side.process.memory)} · buffers ${sayBytes(side.process.buffers ?? 0)}`, 'muted'),
        plain(`version ${side.process.version}`, 'muted'),
      ]),
    ];
    const text = sections.map((one) => one.outerHTML).join();
    if (text === shown) return;
    shown = text;
    aside.replaceChildren(...sections);
  };
};

const section = (title: string, lines: readonly Node[], none = ''): HTMLElement =>
  make('section', '', make('h2', '', title), ...(lines.length > 0 ? lines : [plain(none, 'muted')]));

const plain = (text: string, tone = ''): HTMLElement => make('p', tone, text);

/** Colour and word: never colour alone. */
const line = (tone: string, name: string, value: Node, note: string): HTMLElement => {
  const label = make('span', 'label', name);
  label.title = name;
  return make('div', 'line', make('span', `dot ${tone}`), label, value, ...(note ? [make('span', 'note', note)] : []));
};

const TONES = { well: 'good', slow: 'slow', cooling: 'bad', trial: 'slow' } as const;

const sourceLine = ({ name, rate, firstByte, state, until = 0, code }: SourceState, now: number): HTMLElement => {
  const first = firstByte === undefined ? '' : `first byte ${sayTime(firstByte)}`;
  const tone = TONES[state];
  const value =
    state === 'cooling' || state === 'trial'
      ? make('span', `value ${tone}`, state === 'cooling' ? 'cooling' : 'on trial')
      : make('span', 'value', sayRate(rate));
  const note = state === 'cooling' ? `${code}, again in ${sayTime(Math.max(0, until - now))}` : first;
  return line(tone, saySource(name), value, state === 'slow' ? `slow: ${note}` : note);
};

const prefixLine = ({ prefix, kind, at, problem }: PrefixState, now: number): HTMLElement => {
  const age = at === 0 ? 'never yet' : `${sayTime(Math.max(0, now - at))} ago`;
  const tone = problem === undefined ? (kind === 'imported' ? 'muted' : 'good') : 'bad';
  const value = make(
    'span',
    `value ${problem === undefined ? 'muted' : 'bad'}`,
    problem === undefined ? `${kind} · ${age}` : `failed · ${age}`,
  );
  return line(tone, prefix, value, problem ?? '');
};

const savesLines = ({ saves, copies, degraded }: Side): readonly HTMLElement[] => [
  ...(saves
    ? [
        plain(pendingOf(saves)),
        ...(saves.broker === undefined
          ? []
          : [saves.broker ? plain('broker: connected', 'good') : plain('broker: not reached', 'bad')]),
        plain(`${sayCount(saves.delivered)} delivered since the start`, 'muted'),
        ...(saves.putOff > 0 ? [plain(`${sayCount(saves.putOff)} put off`, 'slow')] : []),
      ]
    : []),
  ...(copies
    ? [plain(`copies ${sayBytes(copies.bytes)}${copies.limit > 0 ? ` of ${sayBytes(copies.limit)}` : ''}`, 'muted')]
    : []),
  ...degraded.map((problem) => plain(problem, 'bad')),
];

const pendingOf = ({ waiting, oldest }: NonNullable<Side['saves']>): string => {
  if (waiting === 0) return 'none pending';
  return `${sayCount(waiting)} pending${oldest < 1000 ? '' : `, oldest ${sayTime(oldest)}`}`;
};
