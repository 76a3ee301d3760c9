import { filesBelow, importsOf } from '../../test/support/imports.ts';
import { arrow, box, picture, text } from './svg.ts';

/** The place of a room: floors from the top, columns from the left, both ends included. */
type Place = readonly [floor: number, lowest: number, column: number, last: number];

const PLACES: Readonly<Record<string, Place>> = {
  'src/cli': [0, 0, 0, 7],
  'src/app': [1, 1, 0, 7],
  'src/config': [2, 4, 0, 0],
  'src/systemd': [2, 4, 1, 1],
  'src/observe': [2, 4, 2, 2],
  'src/http': [2, 4, 3, 3],
  'src/saves': [2, 4, 4, 4],
  'src/alternates': [2, 2, 5, 7],
  'src/sources': [3, 4, 5, 5],
  'src/catalog': [3, 3, 6, 6],
  'src/repositories': [4, 4, 6, 6],
  'src/lib': [5, 5, 0, 6],
  pipelines: [3, 3, 7, 7],
  'pipelines/stages': [4, 5, 7, 7],
  'pipelines/model': [6, 6, 2, 7],
  'pipelines/operators': [7, 7, 2, 7],
};
const COLUMNS = [56, 72, 72, 44, 52, 70, 102, 78];
const [MARGIN, GAP, FLOOR, STAIRS] = [19, 8, 40, 24];

/** `src/index.ts` is the door, not a room. */
const roomOf = (file: string): string | undefined => {
  const [top, second = '', third] = file.split('/');
  if (top === 'pipelines') return third === undefined ? top : `${top}/${second}`;
  return third === undefined ? undefined : `${top}/${second}`;
};

const roomImports = (): ReadonlyMap<string, ReadonlySet<string>> => {
  const files = [...filesBelow('pipelines'), ...filesBelow('src')];
  const found = new Map<string, Set<string>>();
  for (const file of files.toSorted()) {
    const room = roomOf(file);
    if (room === undefined) continue;
    const known = found.get(room) ?? new Set();
    found.set(room, known);
    for (const target of importsOf(file)) {
      const other = files.includes(target) ? roomOf(target) : undefined;
      if (other !== undefined && other !== room) known.add(other);
    }
  }
  return found;
};

/** The imports without those that a longer way implies. */
const direct = (
  imports: ReadonlyMap<string, ReadonlySet<string>>,
): readonly (readonly [from: string, to: string])[] => {
  const reaches = (from: string, to: string): boolean =>
    [...(imports.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  return [...imports].flatMap(([from, targets]) =>
    [...targets]
      .filter((to) => ![...targets].some((other) => other !== to && reaches(other, to)))
      .map((to) => [from, to] as const),
  );
};

const areaOf = (room: string) => {
  const place = PLACES[room];
  if (!place) throw new Error(`${room} has no place in the picture of the rooms (scripts/pictures/rooms.ts)`);
  const [floor, lowest, column, last] = place;
  const x = MARGIN + COLUMNS.slice(0, column).reduce((sum, width) => sum + width + GAP, 0);
  const width = COLUMNS.slice(column, last + 1).reduce((sum, one) => sum + one + GAP, -GAP);
  const y = MARGIN + floor * (FLOOR + STAIRS);
  return { floor, lowest, x, y, width, height: (lowest - floor) * (FLOOR + STAIRS) + FLOOR };
};

const arrowBetween = ([from, to]: readonly [string, string]): string => {
  const [above, below] = [areaOf(from), areaOf(to)];
  const [left, right] = [Math.max(above.x, below.x), Math.min(above.x + above.width, below.x + below.width)];
  if (below.floor !== above.lowest + 1 || left >= right)
    throw new Error(`${from} imports ${to}, but does not stand on it in the picture (scripts/pictures/rooms.ts)`);
  return arrow((left + right) / 2, above.y + above.height + 2, (left + right) / 2, below.y - 2);
};

export const rooms = (): string => {
  const imports = roomImports();
  const height = MARGIN + 8 * (FLOOR + STAIRS) + 42;
  const y = height - 34;
  return picture(
    {
      width: 640,
      height,
      title: 'The rooms of the code, and their imports',
      says: [...imports]
        .map(([room, known]) => `${room} imports ${[...known].toSorted().join(', ') || 'no other room'}`)
        .join('; '),
    },
    [
      ...[...imports.keys()].flatMap((room) => {
        const { x, y, width, height } = areaOf(room);
        const name = room === 'pipelines' ? 'pipelines' : (room.split('/')[1] ?? '');
        return [
          box(x, y, width, height, room.startsWith('pipelines') ? 't0' : 'f-panel s-edge', { 'stroke-width': 1.5 }),
          text(x + width / 2, y + height / 2, name, { anchor: 'middle' }),
        ];
      }),
      ...direct(imports).map(arrowBetween),
      box(19, y - 9, 18, 18, 'f-panel s-edge', { rx: 4, 'stroke-width': 1.5 }),
      text(45, y, 'src/', { size: 14, fill: 'muted', mono: true }),
      box(96, y - 9, 18, 18, 't0', { rx: 4, 'stroke-width': 1.5 }),
      text(122, y, 'pipelines/', { size: 14, fill: 'muted', mono: true }),
      arrow(232, y - 11, 232, y + 11),
      text(246, y, 'imports; what follows from others is left out', { size: 14, fill: 'muted' }),
    ],
  );
};
