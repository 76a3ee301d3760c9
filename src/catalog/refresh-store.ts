import type { UnitKey } from '../repositories/unit.ts';

/** A unit that an alternate content source offers: one document of `content_catalog`. */
export interface Offer {
  readonly sourceId: string;
  readonly typeId: string;
  readonly unitKey: UnitKey;
  readonly url: string;
  /** Unix seconds; the offer expires after them. */
  readonly expiration: number;
}

/** The state of one of a source's paths. */
export interface PathState {
  readonly path: string;
  /** Unix seconds when the offers of its last complete refresh expire; 0 before it. */
  readonly expiration: number;
  /** The reason why its last refresh failed. Absent if it did not. */
  readonly problem?: string;
}

/** The state of a source's paths, for one version of its descriptor. */
export interface Cataloged {
  /** Identifies the version. */
  readonly fingerprint: string;
  readonly paths: readonly PathState[];
}

/** The state of a source's refreshes. */
export interface RefreshState {
  readonly sourceId: string;
  /** As last given to `finish` or `abandon`. Absent before that. */
  readonly cataloged?: Cataloged;
  /** As last given to `putOff`: Unix seconds. It may be over. */
  readonly nextTry?: number;
  /** Whether any process holds the lease. */
  readonly leased: boolean;
}

/** A running refresh of one path. */
export interface Refresh {
  readonly sourceId: string;
  /** Separates its offers from earlier ones. */
  readonly mark: number;
  readonly token: string;
}

/**
 * The store of the offers of alternate content sources, shared by all processes on one catalog.
 * Times are Unix seconds. Each step is done once its promise resolves. It rejects if the catalog
 * cannot be read or written.
 */
export interface RefreshStore {
  state(sourceId: string, now: number): Promise<RefreshState | undefined>;
  /** The number of units that a source offers and that have not expired. */
  count(sourceId: string, now: number): Promise<number>;
  /** Begins the refresh of a path. Removes the offers of a refresh of the source that never ended. */
  begin(sourceId: string, now: number): Promise<Refresh>;
  /** Adds offers of the refresh's source. They take precedence over its older offers. */
  add(refresh: Refresh, offers: readonly Offer[]): Promise<void>;
  /**
   * Completes the refresh, and stores the state of the source. Resolves to `false` if another
   * refresh has begun since.
   */
  finish(refresh: Refresh, cataloged: Cataloged): Promise<boolean>;
  /** Removes the offers of the refresh, unless it is complete. Stores the state if one is given. */
  abandon(refresh: Refresh, cataloged?: Cataloged): Promise<void>;
  /** Notes when the next try of a source follows whose refresh failed. */
  putOff(sourceId: string, nextTry: number): Promise<void>;
  /**
   * Removes the source's offers from before the refresh, at most `most` per call. Offers below the
   * folders `kept` stay: URLs with a slash at their end. Resolves to the number removed: 0 if none
   * is left.
   */
  retire(refresh: Refresh, most: number, kept?: readonly string[]): Promise<number>;
  /** Removes offers that expired more than an hour ago, as Pulp does; otherwise like `retire`. */
  purge(now: number, most: number): Promise<number>;
  /** Takes or prolongs the lease on a source. Resolves to `false` if another holder has it. */
  acquire(sourceId: string, holder: string, now: number, until: number): Promise<boolean>;
  release(sourceId: string, holder: string): Promise<void>;
}

/** Seconds for which an expired offer is kept, as in Pulp. */
export const KEPT_AFTER_EXPIRATION = 3600;
