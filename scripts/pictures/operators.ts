import { deepStrictEqual } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestScheduler } from 'rxjs/testing';
import { putOff } from '../../test/pipelines/deliver-saves.diagram.ts';
import { stuckConsumer } from '../../test/pipelines/operators/closed-timeout.diagram.ts';
import { heldWhileClosed } from '../../test/pipelines/operators/create-flow.diagram.ts';
import { lateFirst } from '../../test/pipelines/operators/first-timeout.diagram.ts';
import { slowFirst } from '../../test/pipelines/operators/hedge.diagram.ts';
import { newestTwo } from '../../test/pipelines/operators/hold.diagram.ts';
import { twoLevels } from '../../test/pipelines/operators/hysteresis.diagram.ts';
import { twoPlaces } from '../../test/pipelines/operators/limit-concurrency.diagram.ts';
import { twoAtATime } from '../../test/pipelines/operators/merge-flow.diagram.ts';
import { inParts } from '../../test/pipelines/operators/rate-limit.diagram.ts';
import { threeSpeeds } from '../../test/pipelines/operators/share-flow.diagram.ts';
import { tooLittle } from '../../test/pipelines/operators/speed-floor.diagram.ts';
import { silence } from '../../test/pipelines/operators/stall-timeout.diagram.ts';
import { theLatest } from '../../test/pipelines/operators/switch-flow.diagram.ts';
import { beforeTheyExpire } from '../../test/pipelines/refresh-sources.diagram.ts';
import { takenLate } from '../../test/src/http/head-start.diagram.ts';
import type { Diagram } from '../../test/support/marble-diagram.ts';
import { asText } from './marble-text.ts';
import { drawn } from './marbles.ts';

/** The operators of the library: each gets a picture. */
const SHOWN = [
  stuckConsumer,
  threeSpeeds,
  lateFirst,
  slowFirst,
  newestTwo,
  twoLevels,
  twoAtATime,
  theLatest,
  twoPlaces,
  heldWhileClosed,
  inParts,
  tooLittle,
  silence,
  putOff,
  beforeTheyExpire,
];
const DIAGRAMS = [...SHOWN, takenLate];
const ROOT = join(import.meta.dirname, '../..');

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const fileOf = ({ operator, file = `pipelines/operators/${kebab(operator)}.ts` }: Diagram): string => file;
const pictureOf = ({ operator }: Diagram): string => `docs/pictures/marbles/${kebab(operator)}.svg`;

/** The operator's doc comment, and the code before and after it. */
const commented = (diagram: Diagram): readonly [before: string, comment: string, after: string] => {
  const code = readFileSync(join(ROOT, fileOf(diagram)), 'utf8');
  const end = code.indexOf(` */\nexport const ${diagram.operator} =`);
  const start = code.lastIndexOf('/**\n', end);
  if (end < 0 || start < 0) throw new Error(`${fileOf(diagram)}: ${diagram.operator} has no doc comment`);
  return [code.slice(0, start), code.slice(start, end), code.slice(end)];
};

const FENCED = / \* ```\n[\s\S]*? \* ```\n/g;

/** The file with the rows of the diagram in the one fenced block of the operator's doc comment. */
const withRows = (diagram: Diagram): string => {
  const [before, comment, after] = commented(diagram);
  if (comment.match(FENCED)?.length !== 1) throw new Error(`${fileOf(diagram)}: not one fenced block, for its marbles`);
  const rows = asText(diagram).replace(/^/gm, ' * ');
  return [before, comment.replace(FENCED, () => ` * \`\`\`\n${rows}\n * \`\`\`\n`), after].join('');
};

const proseOf = (diagram: Diagram): readonly string[] =>
  commented(diagram)[1]
    .replace('/**\n', '')
    .replace(FENCED, '')
    .replace(/^ \* ?/gm, '')
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.trim().replace(/\s*\n/g, ' '))
    .filter((paragraph) => paragraph !== '');

const firstSentence = (diagram: Diagram): string => {
  const [first = ''] = proseOf(diagram);
  return first.replace(/([.:;]) .*/s, '$1').replace(/[.:;]$/, '');
};

/** The program that shows how the operator is used, which a test runs. */
const exampleOf = ({ operator }: Diagram): readonly string[] => {
  const path = join(ROOT, `examples/operators/${kebab(operator)}.mjs`);
  if (!existsSync(path)) return [];
  const code = readFileSync(path, 'utf8')
    .trimEnd()
    .replace(/^\/\/=> /gm, '// prints: ');
  return ['', '```js', code, '```'];
};

const page = (): string =>
  [
    '<!-- Made by `npm run pictures` from the comments in pipelines/ and their tests. -->',
    '',
    '# Operators',
    '',
    'The operators of `pulp-streamer/pipelines`, and two pipelines made of them. Each picture is a test of the operator: its inputs above, its results below, a column a',
    'millisecond unless the picture states another unit. A bar is a completion, a cross an error, a stroke the moment at which a source is left.',
    'The programs are tests, too. [Flows](../../pipelines/operators/README.md) explains the idea, and how to get into a flow and out of it.',
    ...SHOWN.flatMap((diagram) => [
      '',
      `## ${diagram.operator}`,
      '',
      `![${diagram.operator}: ${firstSentence(diagram)}](../pictures/marbles/${kebab(diagram.operator)}.svg)`,
      ...proseOf(diagram).flatMap((paragraph) => ['', paragraph]),
      ...exampleOf(diagram),
      '',
      `[${fileOf(diagram)}](../../${fileOf(diagram)})`,
    ]),
    '',
  ].join('\n');

/**
 * The operators' pictures, their doc comments and their page, by file. A diagram that does not hold
 * is not drawn.
 */
export const operators = (): readonly (readonly [file: string, content: string])[] => {
  for (const { holds } of DIAGRAMS)
    new TestScheduler((actual, expected) => deepStrictEqual(actual, expected)).run(holds);
  return [
    ...SHOWN.map((diagram) => [pictureOf(diagram), drawn(diagram, firstSentence(diagram))] as const),
    ...DIAGRAMS.map((diagram) => [fileOf(diagram), withRows(diagram)] as const),
    ['docs/reference/operators.md', page()],
  ];
};
