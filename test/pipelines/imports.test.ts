import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');

const filesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));

const importsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target]) => {
    const name = String(target);
    return name.startsWith('.') ? normalize(join(dirname(file), name)) : name;
  });

/** May a file in `room` import a file of `other`? The direction of imports, docs/architecture.md. */
const LAYERS = ['pipelines/model', 'pipelines/operators', 'pipelines/stages', 'pipelines'];
const layerOf = (file: string) => LAYERS.findIndex((layer) => relative(layer, dirname(file)) === '');

describe('pipelines/', () => {
  const files = filesBelow('pipelines');

  it('is found', () => expect(files.length).toBeGreaterThan(20));

  it.each(files)('%s imports nothing but rxjs and rooms upstream of its own', (file) => {
    for (const target of importsOf(file)) {
      if (target === 'rxjs') continue;
      expect(target).toMatch(/^pipelines\//);
      expect(layerOf(target)).toBeLessThanOrEqual(layerOf(file));
    }
  });
});

describe('src/', () => {
  const ADAPTERS = ['lib', 'catalog', 'sources', 'dispatch', 'http', 'config', 'observe'];

  it.each(ADAPTERS.flatMap((room) => filesBelow(`src/${room}`).map((file) => [file, room] as const)))(
    '%s keeps to its own room, lib, the model and the operators',
    (file, room) => {
      for (const target of importsOf(file)) {
        if (target.startsWith('pipelines/')) expect(target).toMatch(/^pipelines\/(model|operators)\//);
        if (target.startsWith('src/')) expect(target).toMatch(new RegExp(`^src/(${room}|lib)/`));
      }
    },
  );
});
