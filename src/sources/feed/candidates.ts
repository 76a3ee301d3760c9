import type { Access, Catalog, FindCandidates } from '../../../pipelines/model/index.ts';
import { mapped } from '../../../pipelines/operators/at-once.ts';
import { hostOf } from '../holder.ts';
import { knownFields } from '../known-fields.ts';

/**
 * Emits the feed of an entry with its importer's credentials: the last candidate. Errors as
 * `catalog.access` does.
 */
export const feedCandidates =
  ({ access }: Pick<Catalog, 'access'>): FindCandidates =>
  (entry) =>
    mapped(access(entry.importerId), (access) => ({
      entry,
      source: { kind: 'feed', id: hostOf(entry.url) },
      url: entry.url,
      access: ownedBy(entry.importerId, access),
      ...knownFields(entry.url, entry.path),
    }));

/** The access that an importer owns: one object for each that a catalog gives. */
const ownedBy = (id: string, access: Access): Access => {
  const known = owned.get(access);
  if (known?.owner?.id === id) return known;
  const made: Access = { ...access, owner: { kind: 'importer', id } };
  owned.set(access, made);
  return made;
};

const owned = new WeakMap<Access, Access>();
