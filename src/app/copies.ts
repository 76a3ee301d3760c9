import type { Logger } from 'pino';
import { concatMap } from 'rxjs';
import type { Settings } from '../config/schema.ts';
import { parseUrl } from '../lib/url.ts';
import type { Conditions } from '../observe/conditions.ts';
import type { Eviction } from '../saves/copies/eviction.ts';
import type { SaveStore } from '../saves/copies/store.ts';
import type { Streamer } from './compose.ts';
import { openStore, type StoreParts } from './copy-store.ts';
import { renewable } from './renewable.ts';
import { saveLimitOf } from './save-limit.ts';

/** The store of saved copies, and what the settings say of it. */
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
  readonly logger: Logger;
  readonly conditions: Conditions;
}

/** Absent if no copies are kept. */
export const openCopies = async (settings: Settings, parts: Parts): Promise<Copies | undefined> => {
  if (settings.dispatch !== 'save') return undefined;
  const { delivering, isOwner, family, eviction, onError, fetch, logger, conditions } = parts;
  const limit = renewable(
    () => ({ saveLimit: settings.saveLimit, saveDir: settings.saveDir, saveUrl: settings.saveUrl }),
    (one) => (delivering ? saveLimitOf(one) : 0),
  );
  const common: StoreParts = {
    limit: () => limit.value,
    ...{ onError, eviction },
    mayFetch: ({ url }) => !settings.meteredFeeds.includes(parseUrl(url)?.host ?? ''),
    // A shared transfer would not stop while the disk cannot keep up.
    fetch: ({ path }, valve) =>
      fetch(path, { valve, exclusive: true }).pipe(
        concatMap((event) => (event.type === 'head' ? [event.candidate.entry] : [])),
      ),
  };
  const store = await openStore(settings, common, { logger, conditions, family, isFirst: isOwner });
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
