import { createHash } from 'node:crypto';
import { concatMap, defer, EMPTY, of } from 'rxjs';
import { type Catalog, decodePath, StreamError } from '../../../pipelines/model/index.ts';
import { messageOf } from '../../lib/thrown.ts';
import { urlOf } from '../../repositories/relative-path.ts';
import { isKeybox, readKeyring } from '../../repositories/signatures/keyring.ts';
import type { CatalogStore } from '../store.ts';
import { sourcesFile } from './apt.ts';
import { armoured } from './armour.ts';
import type { Children, Described } from './described.ts';
import { repoFile } from './dnf.ts';

/** What the files are made of. */
interface ClientFileDeps {
  readonly repositories: Pick<CatalogStore['repositories'], 'list'>;
  readonly entries: Pick<CatalogStore['entries'], 'children'>;
}

/** Folders that are looked at, of each folder: a suite has few components. */
const CHILDREN = 1_000;

export type KindOfFile = 'repo' | 'sources' | 'key';

const NAME = /^(.*)\/\.(repo|sources|key)$/s;

/** Whether a path in a repository is that of a file that makes its reader a client of it. */
export const isClientFile = (relative: string): boolean => NAME.exec(`/${relative}`)?.[1] === '';

/**
 * Emits the file that makes a machine a client of the repositories at or below a prefix, then
 * completes: `/p/.repo` for dnf and yum, `/p/.sources` for apt, and `/p/.key`, the keys that sign
 * the repository at `/p`. Completes without one if there is no such repository. Errors with
 * `NOT_IN_CATALOG` if it has no suite yet, or if its keys cannot be read, or are others by now. `view`:
 * they are asked for as those of a dated view, which is of one repository, and may be older than its
 * metadata says it is valid.
 */
export const clientFiles =
  ({ repositories, entries }: ClientFileDeps, { view = false } = {}): NonNullable<Catalog['made']> =>
  (path, askedAs) => {
    const [, prefix = '', kind] = NAME.exec(path) ?? [];
    const url = kind === undefined ? undefined : askedAs();
    if (url === undefined) return EMPTY;
    const wanted = KINDS[kind as KindOfFile];
    const base = url.slice(0, url.lastIndexOf('/'));
    const decoded = decodePath(base);
    const named = view ? { view: decoded.slice(decoded.lastIndexOf('@') + 1) } : {};
    const children: Children = async (folder) => entries.children(folder, undefined, CHILDREN);
    return defer(async () => {
      const known = (await repositories.list())
        .filter((one) => wanted.formats.includes(one.format) && (kind !== 'key' || one.keyring !== undefined))
        .filter((one) => one.prefix === prefix || (wanted.below && !view && one.prefix.startsWith(`${prefix}/`)))

        .map((one) => ({ ...one, ...named, url: urlOf(`${base}/`, `${one.prefix}/`.slice(prefix.length + 1)) }));
      // Several importers may feed one prefix: its clients see one repository.
      const described = [...new Map(known.map((one) => [one.prefix, one])).values()];
      return described.length === 0 ? EMPTY : of({ type: wanted.type, text: await wanted.write(described, children) });
    }).pipe(concatMap((file) => file));
  };

interface Kind {
  readonly type: string;
  readonly formats: readonly string[];
  /** Whether it names those below the prefix, too. */
  readonly below: boolean;
  readonly write: (repositories: readonly Described[], children: Children) => Promise<string>;
}

const TEXT = 'text/plain; charset=utf-8';

const KINDS: Readonly<Record<KindOfFile, Kind>> = {
  repo: { type: TEXT, formats: ['yum'], below: true, write: async (repositories) => repoFile(repositories) },
  sources: {
    ...{ type: TEXT, formats: ['deb'], below: true },
    write: (repositories, children) => sourcesFile(repositories, children, keysOf),
  },
  key: {
    ...{ type: 'application/pgp-keys', formats: ['yum', 'deb'], below: false },
    write: async ([repository]) => (repository && (await keysOf(repository))) ?? '',
  },
};

/** The keys that sign a repository, armoured. Absent if its signature is not checked. */
const keysOf = async ({ prefix, keyring }: Described): Promise<string | undefined> => {
  if (!keyring) return undefined;
  const refuse = (reason: string) =>
    new StreamError('NOT_IN_CATALOG', 'catalog', `the keys of ${prefix || '/'}: ${reason}`);
  const keys = await readKeyring(keyring.file).catch((error: unknown) => {
    throw refuse(messageOf(error));
  });
  if (createHash('sha256').update(keys).digest('hex') !== keyring.sha256)
    throw refuse(`${keyring.file} has changed since the repository was given it: import or follow it again`);
  if (isKeybox(keys)) throw refuse(`${keyring.file} is a keybox of GnuPG, which clients do not take: export its keys`);
  return armoured(keys);
};
