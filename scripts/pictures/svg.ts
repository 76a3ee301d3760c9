/**
 * The pieces of SVG that the pictures are made of. No font is measured, so the bytes are the same on
 * every machine.
 */

/** The colours by class: light, and dark. */
const COLOURS = {
  card: ['#ffffff', '#0d1117'],
  edge: ['#d5dce3', '#30363d'],
  panel: ['#f5f8fa', '#151b23'],
  ink: ['#1f2933', '#e6edf3'],
  muted: ['#5b6875', '#9aa5b1'],
  water: ['#2f78b0', '#66b0e8'],
  pool: ['#cfe4f5', '#17395a'],
  good: ['#2f7d4f', '#63c288'],
  bad: ['#c0392b', '#ff7b72'],
} as const;
type Colour = keyof typeof COLOURS;

/** Colours that distinguish values and sources: a light fill, and the line around it. */
const TINTS = [
  ['#dbeaf8', '#3f7fb5', '#15324c', '#6fb0e2'],
  ['#dcf0e2', '#458a5a', '#14372a', '#6cc08a'],
  ['#faecc8', '#a5781a', '#3d3113', '#dfb254'],
  ['#e8e2f6', '#7a60ad', '#2c2548', '#ad97dd'],
  ['#f8e0e5', '#ad566d', '#43222d', '#e08ea2'],
  ['#d8efee', '#34827f', '#113937', '#60bfba'],
] as const;
export const tintOf = (index: number): string => `t${index % TINTS.length}`;

const paint = (dark: 0 | 1): string =>
  [
    ...Object.entries(COLOURS).map(
      ([name, shades]) => `.f-${name}{fill:${shades[dark]}}.s-${name}{stroke:${shades[dark]}}`,
    ),
    ...TINTS.map((tint, at) => `.t${at}{fill:${tint[2 * dark]};stroke:${tint[2 * dark + 1]}}`),
  ].join('');

const STYLE = [
  'text{font-family:-apple-system,"Segoe UI","Noto Sans","DejaVu Sans",Helvetica,Arial,sans-serif}',
  '.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}',
  '.bold{font-weight:600}.none{fill:none}.dash{stroke-dasharray:2 5}.ghost{opacity:.4}',
  paint(0),
].join('');

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

type Attributes = Readonly<Record<string, string | number | undefined>>;

const tag = (name: string, attributes: Attributes, content?: string): string => {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [` ${key}="${typeof value === 'number' ? Math.round(value * 10) / 10 : escaped(value)}"`],
  );
  return `<${name}${written.join('')}${content === undefined ? '/>' : `>${content}</${name}>`}`;
};

export interface TextStyle {
  readonly size?: number;
  readonly fill?: Colour;
  readonly bold?: boolean;
  readonly mono?: boolean;
  readonly anchor?: 'middle' | 'end';
}

/** `y` is the middle of small letters, so that texts of all sizes are level with their subjects. */
export const text = (x: number, y: number, content: string, style: TextStyle = {}): string => {
  const { size = 15, fill = 'ink', bold, mono, anchor } = style;
  const classes = [`f-${fill}`, bold && 'bold', mono && 'mono'].filter(Boolean).join(' ');
  return tag(
    'text',
    { x, y: y + size * 0.34, 'font-size': size, class: classes, 'text-anchor': anchor },
    escaped(content),
  );
};

export const line = (x1: number, y1: number, x2: number, y2: number, colour: Colour = 'muted', more: Attributes = {}) =>
  tag('line', {
    x1,
    y1,
    x2,
    y2,
    'stroke-width': 1.5,
    ...more,
    class: [`s-${colour}`, more.class].filter(Boolean).join(' '),
  });

export const box = (x: number, y: number, width: number, height: number, classes: string, more: Attributes = {}) =>
  tag('rect', { x, y, width, height, rx: 8, class: classes, ...more });

export const circle = (cx: number, cy: number, r: number, classes: string): string =>
  tag('circle', { cx, cy, r, class: classes, 'stroke-width': 1.5 });

export const group = (classes: string, content: readonly string[]): string =>
  tag('g', { class: classes }, content.join(''));

/** A straight arrow with its point at the second end. */
export const arrow = (
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  colour: Colour = 'muted',
  width = 1.5,
): string => {
  const length = Math.hypot(x2 - x1, y2 - y1);
  const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
  const [long, half] = [5 + 2 * width, 2.5 + width];
  const [bx, by] = [x2 - ux * long, y2 - uy * long];
  const corners = [
    [x2, y2],
    [bx - uy * half, by + ux * half],
    [bx + uy * half, by - ux * half],
  ];
  const points = corners.map((corner) => corner.map((value = 0) => Math.round(value * 10) / 10).join(',')).join(' ');
  return line(x1, y1, bx, by, colour, { 'stroke-width': width }) + tag('polygon', { points, class: `f-${colour}` });
};

/** A cross, for a failure. */
export const cross = (x: number, y: number, r = 7): string =>
  line(x - r, y - r, x + r, y + r, 'bad', { 'stroke-width': 2.5 }) +
  line(x - r, y + r, x + r, y - r, 'bad', { 'stroke-width': 2.5 });

/** A picture on a card, so that it is legible on pages of any colour. */
export const picture = (
  { width, height, title, says }: { width: number; height: number; title: string; says: string },
  content: readonly string[],
): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title says">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="says">${escaped(says)}</desc>`,
    `<style>${STYLE}@media (prefers-color-scheme:dark){${paint(1)}}</style>`,
    box(0.5, 0.5, width - 1, height - 1, 'f-card s-edge', { rx: 12 }),
    ...content,
    '</svg>',
    '',
  ].join('\n');
