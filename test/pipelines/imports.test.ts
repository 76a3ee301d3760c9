import { describe, expect, it } from '@jest/globals';
import { filesBelow, importsOf } from '../support/imports.ts';

/** The rooms of pipelines/, the lowest floor first: each may import itself and those below it. */
const FLOORS = ['pipelines/operators/', 'pipelines/model/', 'pipelines/stages/', 'pipelines/'];
const floorOf = (file: string): number => FLOORS.findIndex((room) => file.startsWith(room));

/**
 * The rooms of pipelines/ that every adapter may import: sources use operators, and ports belong to
 * the model.
 */
const ADAPTER = ['pipelines/operators/', 'pipelines/model/'];

/**
 * The rooms of src/, and the rooms that each may import in addition to itself. They are drawn in
 * docs/explanation/architecture.md; each file belongs to one of them.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  lib: ADAPTER,
  ...Object.fromEntries(
    ['config', 'observe', 'http', 'systemd', 'sources', 'saves', 'repositories'].map((room) => [
      room,
      [...ADAPTER, 'src/lib/'],
    ]),
  ),
  catalog: [...ADAPTER, 'src/lib/', 'src/repositories/'],
  alternates: [
    ...ADAPTER,
    'pipelines/',
    ...['lib', 'repositories', 'sources', 'catalog'].map((room) => `src/${room}/`),
  ],
  app: ['pipelines/', 'src/'],
  cli: ['pipelines/', 'src/'],
};
const roomOf = (file: string): string => file.split('/')[1] ?? '';

describe('pipelines/', () => {
  const files = filesBelow('pipelines');

  it('is found', () => expect(files.length).toBeGreaterThan(20));

  it.each(files)('%s imports only rxjs and rooms on its own floor or below', (file) => {
    for (const target of importsOf(file)) {
      if (target === 'rxjs') continue;
      if (target === 'rxjs/testing' && file.startsWith('pipelines/operators/testing/')) continue;
      expect(target).toMatch(/^pipelines\//);
      expect(floorOf(target)).toBeLessThanOrEqual(floorOf(file));
    }
  });
});

describe('src/', () => {
  const files = filesBelow('src').filter((file) => file !== 'src/index.ts');

  it.each(files)('%s is in a room and imports only the rooms that its room may import', (file) => {
    const room = roomOf(file);
    expect(Object.keys(ROOMS)).toContain(room);
    const known = [`src/${room}/`, ...(ROOMS[room] ?? [])];
    const strangers = importsOf(file)
      .filter((target) => /^(pipelines|src)\//.test(target))
      .filter((target) => !known.some((place) => target.startsWith(place)));
    expect(strangers).toEqual([]);
    // Only the command line may import its own room.
    if (room !== 'cli') expect(importsOf(file).filter((target) => target.startsWith('src/cli/'))).toEqual([]);
  });
});

describe('imports', () => {
  const files = [...filesBelow('pipelines'), ...filesBelow('src')];
  const imports = new Map(files.map((file) => [file, importsOf(file).filter((target) => files.includes(target))]));

  /** A path along imports that returns to a file on it. */
  const circleFrom = (file: string, way: readonly string[], seen: Set<string>): readonly string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (seen.has(file)) return undefined;
    seen.add(file);
    for (const target of imports.get(file) ?? []) {
      const circle = circleFrom(target, [...way, file], seen);
      if (circle) return circle;
    }
    return undefined;
  };

  it('do not form a circle', () => {
    const seen = new Set<string>();
    for (const file of files) expect(circleFrom(file, [], seen)).toBeUndefined();
  });
});
