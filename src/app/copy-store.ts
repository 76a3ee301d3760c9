import type { Logger } from 'pino';
import type { OpenSource } from '../../pipelines/index.ts';
import type { Settings } from '../config/schema.ts';
import type { Conditions } from '../observe/conditions.ts';
import { folderShelf } from '../saves/copies/folder-shelf.ts';
import type { Shelf } from '../saves/copies/shelf.ts';
import { createSaveStore, type SaveStore, type SaveStoreOptions } from '../saves/copies/store.ts';
import { savesObjects } from './object-settings.ts';

/** What every store of copies needs. */
export interface StoreParts extends Pick<SaveStoreOptions, 'onError' | 'eviction' | 'mayFetch' | 'fetch'> {
  /** The most bytes of all copies; 0: unlimited. It may change. */
  readonly limit: () => number;
}

interface Around {
  readonly logger: Logger;
  readonly conditions: Conditions;
  /** The name of the daemon whose processes share the copies. */
  readonly family?: string;
  /** Whether this process begins before the others of its daemon. */
  readonly isFirst: boolean;
}

/** The store of copies that the settings describe: a folder, or a bucket. Rejects with a ConfigError. */
export const openStore = async (
  settings: Settings,
  { limit, ...common }: StoreParts,
  { logger, conditions, family, isFirst }: Around,
): Promise<SaveStore> => {
  if (savesObjects(settings)) {
    // Its client is loaded only for it.
    const { openObjects } = await import('./open-objects.ts');
    return openObjects(settings, { ...common, limit, logger, conditions, family, isFirst });
  }
  return createSaveStore({
    ...{ ...common, folder: settings.saveDir, family },
    get limit() {
      return limit();
    },
    get checked() {
      return settings.checkCopies;
    },
    get shared() {
      return settings.shareCopies;
    },
  });
};

/** The copies as they are stored, for commands. Rejects with a ConfigError. */
export const openShelf = async (settings: Settings): Promise<Shelf> => {
  if (!savesObjects({ ...settings, dispatch: 'save' })) return folderShelf({ folder: settings.saveDir });
  const { bucketOf } = await import('./open-objects.ts');
  const { bucketShelf } = await import('../saves/objects/bucket-shelf.ts');
  return bucketShelf(await bucketOf(settings));
};

/** Opens the copies of a store that are no files, and everything else as before. */
export const withCopies = (open: OpenSource, store: Pick<SaveStore, 'open'> | undefined): OpenSource => {
  const { open: openCopy } = store ?? {};
  return openCopy ? (location, ask) => (/^s3:/.test(location.url) ? openCopy : open)(location, ask) : open;
};
