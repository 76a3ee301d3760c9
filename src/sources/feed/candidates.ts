import type { Access, Catalog, FindCandidates } from '../../../pipelines/model/index.ts';
import { mappedToMany } from '../../../pipelines/operators/at-once.ts';
import { hostOf } from '../holder.ts';
import { knownFields } from '../known-fields.ts';
import { placesOf } from './mirrors.ts';

/**
 * Emits the feed of an entry, or its mirrors, with its importer's credentials: the last candidates. Errors as
 * `catalog.access` does.
 */
export const feedCandidates =
  ({ access }: Pick<Catalog, 'access'>): FindCandidates =>
  (entry) =>
    mappedToMany(access(entry.importerId), (access) =>
      placesOf(entry.url, ownedBy(entry.importerId, access)).map((place) => ({
        entry,
        source: { kind: 'feed', id: hostOf(place.url) },
        ...place,
        ...knownFields(place.url, entry.path),
      })),
    );

/** The access that an importer owns: one object for each that a catalog gives. */
const ownedBy = (id: string, access: Access): Access => {
  const known = owned.get(access);
  if (known?.owner?.id === id) return known;
  const made: Access = { ...access, owner: { kind: 'importer', id } };
  owned.set(access, made);
  return made;
};

const owned = new WeakMap<Access, Access>();
