import {
  type Access,
  type Candidate,
  type Catalog,
  type CatalogEntry,
  type FindCandidates,
  StreamError,
} from '../../../pipelines/model/index.ts';
import { mappedToMany } from '../../../pipelines/operators/at-once.ts';
import { isCarried } from '../../lib/carried.ts';
import { isOnDisk } from '../../lib/plain-path.ts';
import { hostOf } from '../holder.ts';
import { knownFields } from '../known-fields.ts';
import { placesOf } from './mirrors.ts';

/**
 * Emits the feed of an entry, or its mirrors, with its importer's credentials: the last candidates.
 * Nothing for an entry that a bundle has brought. Errors as `catalog.access` does.
 */
export const feedCandidates =
  ({ access }: Pick<Catalog, 'access'>): FindCandidates =>
  (entry) =>
    mappedToMany(access(entry.importerId), (access): readonly Candidate[] => {
      if (isCarried(entry.url)) return [];
      const { root = access.root } = entry;
      if (root === undefined && access.home !== undefined && isOnDisk(entry.url))
        return [ledToDisk(entry, access.home)];
      return placesOf(entry.url, ownedBy(entry.importerId, access)).map((place) => ({
        entry,
        source: { kind: 'feed', id: hostOf(place.url) },
        ...place,
        ...(root !== undefined && { root }),
        ...knownFields(place.url, entry.path),
      }));
    });

/** A feed over HTTP leads to HTTP only, whatever its metadata says. */
const ledToDisk = (entry: CatalogEntry, home: string): Candidate => ({
  entry,
  source: { kind: 'feed', id: hostOf(entry.url) },
  url: entry.url,
  problem: new StreamError('OUTSIDE_ROOT', 'disk', `the feed at ${home} led to ${entry.url}; expected http: or https:`),
});

/** The access that an importer owns: one object for each that a catalog gives. */
const ownedBy = (id: string, access: Access): Access => {
  const known = owned.get(access);
  if (known?.owner?.id === id) return known;
  const made: Access = { ...access, owner: { kind: 'importer', id } };
  owned.set(access, made);
  return made;
};

const owned = new WeakMap<Access, Access>();
