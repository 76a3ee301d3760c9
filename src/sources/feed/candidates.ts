import { map } from 'rxjs';
import type { Catalog, FindCandidates } from '../../../pipelines/model/index.ts';
import { hostOf } from '../holder.ts';
import { knownFields } from '../known-fields.ts';

/**
 * Emits the feed of an entry with its importer's credentials: the last candidate. Errors as
 * `catalog.access` does.
 */
export const feedCandidates =
  ({ access }: Pick<Catalog, 'access'>): FindCandidates =>
  (entry) =>
    access(entry.importerId).pipe(
      map((access) => ({
        entry,
        source: { kind: 'feed', id: hostOf(entry.url) },
        url: entry.url,
        access: { ...access, owner: { kind: 'importer', id: entry.importerId } },
        ...knownFields(entry.url, entry.path),
      })),
    );
