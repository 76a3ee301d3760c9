import { concatMap, defer, EMPTY, type Observable } from 'rxjs';
import type { FollowedRepository } from '../../../pipelines/index.ts';
import { accessOf } from '../../catalog/access.ts';
import { type Answer, after } from '../../catalog/answer.ts';
import type { CatalogStore, Importer } from '../../catalog/store.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import type { FollowedHost } from '../../config/host-kinds.ts';
import type { Settings } from '../../config/schema.ts';
import { authorityText, hostMatcher, namedPart, readAuthority } from '../../lib/host-pattern.ts';
import { isEntryPoint, suiteOf } from '../../repositories/entry-points.ts';
import type { OpenFiles } from '../../repositories/format.ts';
import { hasFile, hasSuite } from '../../repositories/has-suite.ts';
import { staysBelow, toUrlPath } from '../../repositories/relative-path.ts';
import { emitting } from './emitting.ts';
import { entryOf } from './unlisted.ts';

interface Parts {
  /** `followHosts` may change. */
  readonly settings: Pick<Settings, 'followHosts' | 'metadataMaxAge'>;
  readonly store: Pick<CatalogStore, 'importers' | 'repositories'>;
  readonly files: OpenFiles;
  /** Reads a repository that has just been added. */
  readonly update: (stored: StoredRepository, suite: string | undefined) => Observable<never>;
}

/** A repository that begins with a path, if the feed has it. */
interface Sighted {
  readonly format: 'deb' | 'yum';
  /** Relative to the host; empty, or with a slash at its end. */
  readonly folder: string;
  readonly suite?: string;
}

const REPOMD = 'repodata/repomd.xml';

/** Whether a path is one below its host, and can be a place in the catalog. */
const isUsable = (path: string): boolean => staysBelow(path) && !/\p{Cc}/u.test(path);

const sightedAt = (path: string): Sighted | undefined => {
  if (`/${path}`.endsWith(`/${REPOMD}`)) return { format: 'yum', folder: path.slice(0, -REPOMD.length) };
  const [, root] = /^(|.*?\/)dists\//.exec(path) ?? /^(|.*\/)[^/]*$/.exec(path) ?? [];
  if (root === undefined) return undefined;
  const suite = suiteOf({ format: 'deb', selection: {} }, path.slice(root.length));
  return suite === undefined ? undefined : { format: 'deb', folder: root, suite };
};

/**
 * The repositories of hosts in `follow_hosts`, by paths `/HOST/PATH` that no repository of the catalog
 * has. The first file of one adds it, if the feed has that. Every other file is fetched as it is.
 */
export const firstSights = ({
  settings,
  store,
  files,
  update,
}: Parts): ((path: string) => FollowedRepository | undefined) => {
  /**
   * It owns no credentials. Of a pattern, its home is the domain that the operator has named: names
   * below that lead to internal addresses only if the domain does.
   */
  const importerOf = ({ scheme, host, port }: FollowedHost): Answer<Importer> => {
    const feed = `${scheme}://${authorityText({ host: namedPart(host), ...(port && { port }) })}/`;
    // It is there for all requests but the first, and finding it takes no lock of the catalog.
    return after(store.importers.find({ feed }), (found) => found ?? store.importers.ensure({ feed }));
  };

  const add = async (host: FollowedHost, base: string, prefix: string, { format, suite }: Sighted) => {
    const importer = await importerOf(host);
    const known = await store.repositories.find({ prefix, importerId: importer.id });
    if (known) return known;
    const read = files(accessOf(importer.config), {});
    const isThere = suite === undefined ? hasFile(`${base}${REPOMD}`, read) : hasSuite({ base }, suite, read);
    if (!(await isThere)) return undefined;
    const added: StoredRepository = {
      ...{ prefix, importerId: importer.id, format, base, strict: false, follows: true },
      selection: format === 'deb' ? { suites: [] } : {},
      ...{ packages: 0, metadata: 0, succeeded: 0, attempted: 0 },
    };
    await store.repositories.save(added);
    return added;
  };

  return (path) => {
    const { followHosts } = settings;
    if (followHosts.length === 0) return undefined;
    const [, authority = '', relative = ''] = /^\/([^/]+)\/(.*)$/.exec(path) ?? [];
    const asked = readAuthority(authority);
    // Another spelling of the host would be another place in the catalog.
    if (!asked || authorityText(asked) !== authority || !isUsable(relative)) return undefined;
    const host = followHosts.find((one) => hostMatcher(one)(asked));
    if (!host) return undefined;
    const base = `${host.scheme}://${authority}/`;
    const sighted = sightedAt(relative);
    const unlisted = (of: string) =>
      emitting(
        after(importerOf(host), ({ id }) => [entryOf({ base, importerId: id }, of, relative, settings.metadataMaxAge)]),
      );
    const known = { isEntryPoint: () => isEntryPoint(relative), unlisted, needsNoProof: true };
    if (!sighted) return { ...known, id: `/${authority}`, confirmed: Number.POSITIVE_INFINITY, update: () => EMPTY };
    const { folder, suite } = sighted;
    const prefix = `/${authority}/${folder}`.replace(/\/$/, '');
    return {
      ...known,
      id: `${prefix} ${suite ?? ''}`,
      update: () =>
        defer(() => add(host, base + toUrlPath(folder), prefix, sighted)).pipe(
          concatMap((stored) => (stored ? update(stored, suite) : EMPTY)),
        ),
    };
  };
};
