import { hash } from 'node:crypto';
import type { CatalogEntry, CopyEnd } from '../../../pipelines/model/index.ts';
import type { Only } from './bucket.ts';
import { descriptionOf, type KnownCopy } from './known.ts';
import { descriptionName } from './names.ts';
import type { ObjectState } from './state.ts';
import { type Stored, storeNew } from './store-new.ts';

/**
 * Stores the description of content that is in the store: from then on there is a copy. A description
 * that is damaged, or of something that is gone, is replaced. Resolves to whether this is the copy, or
 * another one was there. Rejects if the store fails.
 */
export const publish = async (
  store: ObjectState,
  entry: CatalogEntry,
  made: Omit<KnownCopy, 'etag' | 'usedAt'>,
  { etag, wasThere }: Stored,
): Promise<CopyEnd['how']> => {
  const { bucket, known, eviction, now } = store;
  const copy: KnownCopy = { ...made, etag, usedAt: now() };
  if (wasThere || !entry.checksum) {
    if (await isDescribed(store, entry, copy)) {
      // The other writer was faster. Of content without a checksum, only one version may stay.
      if (!entry.checksum && known.get(copy.key)?.name !== copy.name) await bucket.remove(copy.name);
      return 'there';
    }
  } else await describe(store, copy);
  known.set(copy);
  eviction.taken(copy.blocks.length);
  return wasThere ? 'there' : 'kept';
};

/** Whether there is a right description already. Otherwise stores this one. */
const isDescribed = async ({ bucket, known, mended }: ObjectState, entry: CatalogEntry, copy: KnownCopy) => {
  const name = descriptionName(copy.key);
  const look = async () => {
    // The tag first: a description that is replaced in between is not taken for the one that was read.
    const found = await bucket.look(name);
    const described = found && (await known.look(entry));
    return (
      found && {
        etag: found.etag,
        isRight: described !== undefined,
        what: 'a description of other content, or a damaged one,',
      }
    );
  };
  const { wasThere } = await storeNew({
    ...{ url: bucket.url + name, look, mended },
    send: (only) => describe({ bucket }, copy, only),
  });
  return wasThere;
};

/** Stores a description. Resolves to its tag; `undefined` if its condition does not hold. */
export const describe = (
  { bucket }: Pick<ObjectState, 'bucket'>,
  copy: Omit<KnownCopy, 'usedAt'>,
  only?: Only,
): Promise<string | undefined> => {
  const text = descriptionOf(copy);
  return bucket.put(descriptionName(copy.key), text, {
    ...{ sha256: hash('sha256', text, 'base64'), type: 'application/json', only },
  });
};
