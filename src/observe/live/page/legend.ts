import { make, makeSvg } from './dom.ts';

type Shape = readonly [tag: string, attributes: Readonly<Record<string, string | number>>];

const LEGEND: readonly (readonly [tone: string, text: string, shape: Shape])[] = [
  ['busy', 'bytes of a second, by area', ['circle', { cx: 9, cy: 6, r: 4.5, fill: 'currentColor' }]],
  ['saved', 'the same, on disk', ['circle', { cx: 9, cy: 6, r: 4.5, fill: 'currentColor' }]],
  ['ink', 'head', ['path', { d: 'M4 6 9 1 14 6 9 11Z', fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5 }]],
  ['ink', 'client takes bytes', ['path', { d: 'M0 6H18', stroke: 'currentColor', 'stroke-width': 2.4 }]],
  [
    'slow',
    'client takes nothing',
    [
      'path',
      {
        d: 'M1 6H18',
        stroke: 'currentColor',
        'stroke-width': 2,
        'stroke-linecap': 'round',
        'stroke-dasharray': '0.1 4',
      },
    ],
  ],
  ['bad', 'failed', ['path', { d: 'M4 1 14 11M14 1 4 11', stroke: 'currentColor', 'stroke-width': 1.8 }]],
  ['good', 'end, proven right', ['path', { d: 'M9 0V12', stroke: 'currentColor', 'stroke-width': 2.4 }]],
];

/** What the marks mean. */
export const makeLegend = (list: Element): void =>
  list.append(
    ...LEGEND.map(([tone, text, [tag, attributes]]) => {
      const svg = makeSvg(
        'svg',
        { viewBox: '0 0 18 12', class: tone, 'aria-hidden': 'true' },
        makeSvg(tag, attributes),
      );
      return make('li', '', svg, text);
    }),
  );
