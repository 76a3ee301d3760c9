import { readFileSync } from 'node:fs';
import { arrow, box, circle, picture, text, tintOf } from './svg.ts';

interface Stage {
  readonly name: string;
  readonly does: string;
}

const FILE = new URL('../../pipelines/lazy-fetch.ts', import.meta.url);

/** The stages between two texts of `lazyFetch`, each with the comment beside it. */
const stagesOf = (code: string, from: string, to: string): readonly Stage[] => {
  const [, rest] = code.split(from);
  const [part] = rest?.split(to) ?? [];
  const stages = [...(part ?? '').matchAll(/^\s+(?:\(inner\) => )?(\w+)[(,].*?\/\/ +(.+)$/gm)];
  if (stages.length < 2) throw new Error(`pipelines/lazy-fetch.ts has another form: no stages after ${from}`);
  return stages.map(([, name = '', does = '']) => ({ name, does }));
};

/** The ports of the stages, each with the stages that use it. */
const PORTS = [
  { name: 'catalog', is: 'knows the paths', of: ['lookup'] },
  { name: 'sources', is: 'saved copy, alternates, feed', of: ['candidates', 'attempts'] },
  { name: 'copies', is: 'on disk', of: ['keep'] },
  { name: 'outbox', is: 'pending saves', of: ['requestSave'] },
];
const [ROW, TOP] = [28, 134];
const PORT = [136, 214, 96, 130];

const row = ({ name, does }: Stage, y: number): string => {
  const port = PORTS.findIndex(({ of }) => of.includes(name));
  return [
    port < 0 ? '' : circle(48, y, 6, tintOf(port)),
    text(64, y, name, { size: 14, mono: true, bold: true }),
    text(222, y, does, { size: 14, fill: 'muted' }),
  ].join('');
};

export const lifeOfARequest = (): string => {
  const code = readFileSync(FILE, 'utf8');
  const before = [
    { name: 'lookup', does: 'the entries of the path, newest first' },
    ...stagesOf(code, 'decorated(transfer(deps), [', ']);'),
  ];
  const transfer = stagesOf(code, 'return fuse(\n', '    );');
  const after = stagesOf(code, 'answer(request),', ');');

  const inner = TOP + 34 + before.length * ROW;
  const below = inner + transfer.length * ROW + 22;
  const end = below + after.length * ROW + 10;
  const ports = end + 20;
  return picture(
    {
      width: 640,
      height: ports + 76,
      title: 'The life of a request',
      says: [...before, ...transfer, ...after].map(({ name, does }) => `${name}: ${does}`).join('; '),
    },
    [
      box(20, 20, 600, 44, 'f-pool s-water', { 'stroke-width': 1.5 }),
      text(36, 42, 'client', { bold: true }),
      text(604, 42, 'dnf, apt, curl, through Squid, Varnish, nginx, Apache', { size: 14, anchor: 'end' }),
      arrow(48, 68, 48, TOP - 4, 'muted', 2),
      text(62, 99, 'GET /path', { size: 14, mono: true }),
      arrow(190, 68, 190, TOP - 4, 'bad'),
      text(202, 99, 'valve: closed while its socket is full', { size: 14, fill: 'muted' }),
      arrow(588, TOP - 4, 588, 68, 'water', 3),
      text(574, 99, 'head, bytes', { size: 14, anchor: 'end' }),

      box(20, TOP, 600, end - TOP, 'f-panel s-edge', { 'stroke-width': 1.5 }),
      ...before.map((stage, at) => row(stage, TOP + 24 + at * ROW)),
      box(28, inner - 10, 584, below - inner - 8, 'f-card s-edge', { 'stroke-width': 1.5 }),
      ...transfer.map((stage, at) => row(stage, inner + 8 + at * ROW)),
      ...after.map((stage, at) => row(stage, below + 10 + at * ROW)),

      ...PORTS.flatMap(({ name, is }, at) => {
        const x = 20 + PORT.slice(0, at).reduce((sum, width) => sum + width + 8, 0);
        return [
          box(x, ports, PORT[at] ?? 0, 56, tintOf(at), { 'stroke-width': 1.5 }),
          text(x + 12, ports + 19, name, { bold: true }),
          text(x + 12, ports + 39, is, { size: 13 }),
        ];
      }),
    ],
  );
};
