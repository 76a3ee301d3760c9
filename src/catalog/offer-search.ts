import type { Offer } from './refresh-store.ts';

/** What alternate content sources offer, for people who want to know: oldest first, expired offers too. Rejects where the catalog cannot be asked. */
export interface OfferSearch {
  /** All offers of the units that a path's entries name; nothing where the catalog does not have the path. */
  at(path: string): Promise<readonly Offer[] | undefined>;
  /** The offers of units of a type that have all of these fields in their key; values as people type them. */
  find(typeId: string, fields: Readonly<Record<string, string>>): Promise<readonly Offer[]>;
}
