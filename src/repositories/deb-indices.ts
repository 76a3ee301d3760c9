import { LIST_NAMES, readChecksumList } from './checksum-list.ts';
import { SUFFIXES } from './decompress.ts';
import type { Repository, RepositoryItem, Selection } from './format.ts';
import { readPackagesIndex } from './packages.ts';
import { readPatchIndex } from './pdiffs.ts';
import type { ReleaseFile } from './release.ts';
import { readSourcesIndex } from './sources.ts';

type ReadIndex = (
  repository: Pick<Repository, 'leftOut'>,
  name: string,
  bytes: AsyncIterable<Uint8Array>,
) => AsyncGenerator<RepositoryItem>;

/** A file of a suite that names further files. */
export interface Index {
  /** Relative to the suite's folder, without the suffix of a compression. */
  readonly path: string;
  /** The names under which Release may list it, best first; all have the same meaning. */
  readonly names: readonly string[];
  /** It lists packages: a suite has at least one such index. */
  readonly main: boolean;
  readonly component: string;
  /** `source` for source packages; absent if it serves all architectures. */
  readonly architecture?: string;
  readonly read: ReadIndex;
}

interface Kind extends Pick<Index, 'main' | 'read'> {
  /** Matches a path in Release; the first group is the index's path. */
  readonly pattern: RegExp;
  readonly names: (path: string) => readonly string[];
}

const compressed = (path: string): readonly string[] => SUFFIXES.map((suffix) => `${path}${suffix}`);

const KINDS: readonly Kind[] = [
  {
    pattern: /^((?:.*\/)?Packages)(?:\.\w+)?$/,
    names: compressed,
    main: true,
    read: (repository, name, bytes) => readPackagesIndex(repository, name, bytes, true),
  },
  { pattern: /^((?:.*\/)?Sources)(?:\.\w+)?$/, names: compressed, main: true, read: readSourcesIndex },
  { pattern: /^(.*\.diff\/Index)(?:\.\w+)?$/, names: compressed, main: false, read: readPatchIndex },
  {
    // The installer's images: only the lists of their checksums are in Release.
    pattern: new RegExp(`^(.*/)(?:${LIST_NAMES.join('|')})$`),
    names: (folder) => LIST_NAMES.map((name) => `${folder}${name}`),
    main: false,
    read: (repository, name, bytes) => readChecksumList(repository, name, bytes),
  },
];

const COMPONENT = /^(.+?)\/(?:debian-installer\/)?(?:binary-|installer-|source\/|i18n\/|dep11\/|Contents-)/;
const ARCHITECTURE = /(?:^|\/)(?:(?:binary|installer)-([^/]+)|(source)|Contents-(?:udeb-)?([^/.]+)(?:\.diff)?)\/[^/]/;

const toIndex = (path: string, { names, main, read }: Kind): Index => {
  const architecture = ARCHITECTURE.exec(path)?.slice(1).find(Boolean);
  return {
    ...{ path, names: names(path), main, read },
    component: COMPONENT.exec(path)?.[1] ?? '',
    ...(architecture !== undefined && { architecture }),
  };
};

/** The indices among the files of a Release file. */
export const listIndices = (files: readonly ReleaseFile[]): Index[] =>
  KINDS.flatMap((kind) => {
    const paths = files.flatMap(({ path }) => kind.pattern.exec(path)?.[1] ?? []);
    return [...new Set(paths)].map((path) => toIndex(path, kind));
  });

/** The selected indices. Packages for `all` architectures are part of every architecture. */
export const select = (
  indices: readonly Index[],
  { components, architectures }: Selection,
  where: string,
): readonly Index[] => {
  const demand = (what: 'component' | 'architecture', wanted: readonly string[] = []): void => {
    const there = new Set(indices.filter(({ main }) => main).map((index) => index[what] ?? ''));
    const unknown = wanted.find((name) => !there.has(name));
    if (unknown !== undefined) {
      throw new Error(
        `${where}: no ${what} '${unknown}', available: ${[...there].filter(Boolean).join(', ') || 'none'}`,
      );
    }
  };
  demand('component', components);
  demand('architecture', architectures);
  return indices.filter(
    ({ component, architecture = 'all' }) =>
      (!components || components.includes(component)) &&
      (!architectures || architecture === 'all' || architectures.includes(architecture)),
  );
};
