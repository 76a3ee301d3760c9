import { concatMap } from 'rxjs';
import type { Settings } from '../config/schema.ts';
import { parseUrl } from '../lib/url.ts';
import type { Eviction } from '../saves/copies/eviction.ts';
import { createSaveStore, type SaveStore } from '../saves/copies/store.ts';
import type { Streamer } from './compose.ts';
import { renewable } from './renewable.ts';
import { saveLimitOf } from './save-limit.ts';

/** The folder of saved copies, and what the settings say of it. */
export interface Copies {
  readonly store: SaveStore;
  /** The most bytes of all copies; 0: unlimited. */
  readonly limit: number;
  /** Applies changed settings. */
  renew(): void;
  /** Ends the verification in the background. */
  stop(): void;
}

interface Parts {
  /** Whether copies are made, and removed beyond the limit. */
  readonly delivering: boolean;
  /** Whether this process verifies copies in the background. */
  readonly isOwner: boolean;
  readonly family?: string;
  /** The process that removes copies, if it is another one. */
  readonly eviction?: Eviction;
  readonly onError: (error: Error) => void;
  /** Fetches what a save request lacks. */
  readonly fetch: Streamer['fetch'];
}

/** Absent if no copies are kept. */
export const openCopies = (settings: Settings, parts: Parts): Copies | undefined => {
  if (settings.dispatch !== 'save') return undefined;
  const { delivering, isOwner, family, eviction, onError, fetch } = parts;
  const limit = renewable(
    () => ({ saveLimit: settings.saveLimit, saveDir: settings.saveDir }),
    (one) => (delivering ? saveLimitOf(one) : 0),
  );
  const store = createSaveStore({
    folder: settings.saveDir,
    get limit() {
      return limit.value;
    },
    get checked() {
      return settings.checkCopies;
    },
    get shared() {
      return settings.shareCopies;
    },
    onError,
    ...{ family, eviction },
    mayFetch: ({ url }) => !settings.meteredFeeds.includes(parseUrl(url)?.host ?? ''),
    // A shared transfer would not stop while the disk cannot keep up.
    fetch: ({ path }, valve) =>
      fetch(path, { valve, exclusive: true }).pipe(
        concatMap((event) => (event.type === 'head' ? [event.candidate.entry] : [])),
      ),
  });
  const scrubbing = renewable(
    () => settings.scrubRate,
    (rate) => (isOwner && rate > 0 ? store.scrub(rate).subscribe() : undefined),
  );
  return {
    store,
    get limit() {
      return limit.value;
    },
    renew: () => {
      scrubbing.renew()?.unsubscribe();
      limit.renew();
      store.limited();
    },
    stop: () => scrubbing.value?.unsubscribe(),
  };
};
