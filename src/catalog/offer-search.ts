import type { Offer } from './refresh-store.ts';

/**
 * Searches the offers of alternate content sources, for operators. Oldest first, including expired
 * offers. Rejects if the catalog is unavailable.
 */
export interface OfferSearch {
  /** All offers of the units at a path; `undefined` if the catalog does not have the path. */
  at(path: string): Promise<readonly Offer[] | undefined>;
  /** The offers of units of a type whose key has all of these fields, given as typed texts. */
  find(typeId: string, fields: Readonly<Record<string, string>>): Promise<readonly Offer[]>;
}
