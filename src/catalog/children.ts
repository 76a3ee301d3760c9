import type { CatalogEntry, Child } from '../../pipelines/model/index.ts';

/** The paths below a folder that follow a child, as a range: `0` is the character after `/`. */
export const rangeAfter = (folder: string, after: Child | undefined): [from: string, before: string] => {
  const from = after === undefined ? folder : `${folder}${after.name}${after.isFolder ? '0' : ''}`;
  return [from, `${folder.slice(0, -1)}0`];
};

type Named = Pick<CatalogEntry, 'path' | 'size' | 'checksum'>;

/** The child of a folder that a path belongs to. */
export const childOf = (folder: string, { path, size, checksum }: Named): Child => {
  const rest = path.slice(folder.length);
  const slash = rest.indexOf('/');
  if (slash >= 0) return { name: rest.slice(0, slash), isFolder: true };
  return { name: rest, isFolder: false, ...(size !== undefined && { size }), ...(checksum && { checksum }) };
};

export const isSame = (one: Child, other: Child | undefined): boolean =>
  one.name === other?.name && one.isFolder === other.isFolder;

/** A link to one of these names would lead elsewhere. */
export const hasName = ({ name }: Child): boolean => !/^\.{0,2}$/.test(name);

/** Children of one folder in several repositories, in the order of their paths: each once. */
export const mergedChildren = (all: readonly (readonly Child[])[], limit: number): Child[] => {
  const byPath = new Map(all.toReversed().flatMap((some) => some.map((child) => [pathOf(child), child] as const)));
  return [...byPath]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([, child]) => child)
    .slice(0, limit);
};

const pathOf = ({ name, isFolder }: Child): string => (isFolder ? `${name}/` : name);
