import type { RepositoryKey } from '../stored-repository.ts';
import type { EntryDocument, Generation, Head, Publication, RepositoryDocument } from './documents.ts';

/** What counts in the catalog, as of one moment. */
export interface View {
  readonly head: Head;
  /** Of all publications. */
  readonly prefixes: ReadonlySet<string>;
  /** The publication of an importer below a prefix. */
  publicationOf(key: RepositoryKey): Publication | undefined;
  /** The generations whose entries count for an importer below a prefix. */
  generationsOf(key: RepositoryKey): readonly Generation[];
  counts(document: Pick<EntryDocument, 'gen' | 'importer_id' | 'prefix'>): boolean;
  countsRepository(document: Pick<RepositoryDocument, 'gen' | 'importer_id' | 'prefix'>): boolean;
}

const nameOf = (importerId: string, prefix: string): string => `${importerId} ${prefix}`;

/** What counts, as its document says. */
export const viewOf = (head: Head): View => {
  const published = new Map(head.published.map((one) => [nameOf(one.importer_id, one.prefix), one]));
  const loads = new Set(head.loads);
  const find = (importerId: string, prefix: string | undefined): Publication | undefined =>
    prefix === undefined ? undefined : published.get(nameOf(importerId, prefix));
  return {
    head,
    prefixes: new Set(head.published.map(({ prefix }) => prefix)),
    publicationOf: ({ importerId, prefix }) => find(importerId, prefix),
    generationsOf: ({ importerId, prefix }) => {
      const { gen } = find(importerId, prefix) ?? { gen: 0 };
      return [...new Set([0, gen, ...head.loads.filter((load) => load > gen)])];
    },
    counts: ({ gen, importer_id, prefix }) => {
      if (gen === 0) return true;
      const own = find(importer_id, prefix)?.gen ?? 0;
      // What is loaded counts until the next import of its prefix.
      return gen === own || (gen > own && loads.has(gen));
    },
    countsRepository: ({ gen, importer_id, prefix }) => gen === (find(importer_id, prefix)?.gen ?? 0),
  };
};
