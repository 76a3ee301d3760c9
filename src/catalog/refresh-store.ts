import type { UnitKey } from '../repositories/unit.ts';

/** A unit that an alternate content source offers: one document of `content_catalog`. */
export interface Offer {
  readonly sourceId: string;
  readonly typeId: string;
  readonly unitKey: UnitKey;
  readonly url: string;
  /** Unix seconds after which it counts no more. */
  readonly expiration: number;
}

/** What is known of a source's refreshes. Times are Unix seconds. */
export interface RefreshState {
  readonly sourceId: string;
  /** What was cataloged last, in whole: the fingerprint that `finish` was given; absent before the first time. */
  readonly fingerprint?: string;
  /** When the offers of the last whole refresh expire. */
  readonly expiration: number;
  /** Whether somebody holds its lease. */
  readonly leased: boolean;
}

/** A refresh under way. */
export interface Refresh {
  readonly sourceId: string;
  /** Tells its own offers from those before. */
  readonly mark: number;
  readonly token: string;
}

/**
 * Where refreshes put what alternate content sources offer, shared by all processes on one catalog. Times are Unix seconds. Each step is
 * done once its promise resolves; it rejects where the catalog cannot be written or read.
 */
export interface RefreshStore {
  state(sourceId: string, now: number): Promise<RefreshState | undefined>;
  /** How many units a source offers that have not expired. */
  count(sourceId: string, now: number): Promise<number>;
  /** Begins a refresh. What a refresh of the source that never ended had added is removed. */
  begin(sourceId: string, now: number): Promise<Refresh>;
  /** Adds offers of the refresh's source, beside the older ones and counting before them. */
  add(refresh: Refresh, offers: readonly Offer[]): Promise<void>;
  /** The refresh is whole: from now on its offers say how fresh the source is. `false` where another one has begun since. */
  finish(refresh: Refresh, fingerprint: string, expiration: number): Promise<boolean>;
  /** Removes what the refresh added, unless it is whole. */
  abandon(refresh: Refresh): Promise<void>;
  /** Removes what the source offered before the refresh, at most so many at once; resolves to how many: 0 where none is left. */
  retire(refresh: Refresh, most: number): Promise<number>;
  /** Removes what expired more than an hour ago, as Pulp does; otherwise like `retire`. */
  purge(now: number, most: number): Promise<number>;
  /** Takes or prolongs the lease on a source; `false` where another holder has it. */
  acquire(sourceId: string, holder: string, now: number, until: number): Promise<boolean>;
  release(sourceId: string, holder: string): Promise<void>;
}

/** Seconds for which an expired offer is kept, as Pulp keeps it. */
export const KEPT_AFTER_EXPIRATION = 3600;
