import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { all } from '../scripts/pictures/all.ts';

const root = join(import.meta.dirname, '..');
const made = all();

/** Files of pipelines/operators/ without values to draw: a formula, the types, and `operate` with its kin. */
const UNDRAWN = [
  ...[
    'as-error',
    'at-once',
    'back-off',
    'basin',
    'collect',
    'consumer',
    'deadline',
    'flow',
    'follow',
    'from-async-iterable',
  ],
  ...[
    'from-event-target',
    'from-readable',
    'from-web-stream',
    'fuse',
    'index',
    'join',
    'kept-values',
    'lending',
    'meter',
    'operate',
  ],
  ...[
    'overdue',
    'pipe-to',
    'pull',
    'shared',
    'short-lived-map',
    'short-lived-set',
    'stock',
    'subscriber',
    'to-async-iterable',
    'to-readable',
    'to-web-stream',
    'turns',
  ],
  ...['valve', 'valves'],
];

describe('what `npm run pictures` makes', () => {
  it.each([...made])('%s is committed, byte for byte', (file, content) =>
    expect(readFileSync(join(root, file), 'utf8')).toBe(content),
  );

  it('is every picture that is committed', () =>
    expect(globSync('docs/pictures/**/*.svg', { cwd: root }).filter((file) => !made.has(file))).toEqual([]));

  it('is a picture of every operator', () => {
    const operators = globSync('pipelines/operators/*.ts', { cwd: root }).filter((file) => !made.has(file));
    expect(operators.toSorted()).toEqual(UNDRAWN.map((name) => `pipelines/operators/${name}.ts`));
  });

  it('is shown in the documentation', () => {
    const pages = ['README.md', ...globSync('docs/**/*.md', { cwd: root })].map((page) =>
      readFileSync(join(root, page), 'utf8'),
    );
    const pictures = [...made.keys()].filter((file) => file.endsWith('.svg')).map((file) => file.replace('docs/', ''));
    expect(pictures.filter((picture) => !pages.some((page) => page.includes(`${picture})`)))).toEqual([]);
  });
});
