import { hash } from 'node:crypto';
import type { CatalogEntry, CopyEnd } from '../../../pipelines/model/index.ts';
import { descriptionOf, type KnownCopy } from './known.ts';
import { descriptionName } from './names.ts';
import type { ObjectState } from './state.ts';

/**
 * Stores the description of content that is in the store: from then on there is a copy. `there`: the
 * content was stored before, or by another streamer at the same time. Resolves to whether this is the
 * copy, or another one was there, or neither. Rejects if the store fails, or has something else under the name,
 * which is removed.
 */
export const publish = async (
  store: ObjectState,
  entry: CatalogEntry,
  made: Omit<KnownCopy, 'etag' | 'usedAt'>,
  stored: { readonly etag: string } | 'there',
): Promise<CopyEnd['how']> => {
  const { bucket, known, eviction, now } = store;
  const etag = stored === 'there' ? await tagOfOther(store, made) : stored.etag;
  const copy: KnownCopy = { ...made, etag, usedAt: now() };
  if (!(await describe(store, copy, stored === 'there' || !entry.checksum))) {
    // The other writer was faster. Of content without a checksum, only one version may stay.
    const other = await known.look(entry);
    if (!entry.checksum && other?.name !== made.name) await bucket.remove(made.name);
    if (other) return 'there';
    // Its description is damaged, or of something that is gone.
    if (entry.checksum) await describe(store, copy, false);
    else await bucket.remove(descriptionName(made.key));
    return entry.checksum ? 'kept' : 'given-up';
  }
  known.set(copy);
  eviction.taken(copy.blocks.length);
  return stored === 'there' ? 'there' : 'kept';
};

/** Stores the description. Resolves to whether it did: not if another one must stay. */
export const describe = async (
  { bucket }: Pick<ObjectState, 'bucket'>,
  copy: Omit<KnownCopy, 'usedAt'>,
  ifAbsent: boolean,
): Promise<boolean> => {
  const text = descriptionOf(copy);
  const given = { sha256: hash('sha256', text, 'base64'), type: 'application/json', ifAbsent };
  return (await bucket.put(descriptionName(copy.key), text, given)) !== undefined;
};

/** The tag of content that was there. Its blocks are compared at each read. */
const tagOfOther = async ({ bucket }: ObjectState, { name, blocks }: Omit<KnownCopy, 'etag' | 'usedAt'>) => {
  const other = await bucket.look(name);
  if (other?.size === blocks.length) return other.etag;
  if (other) await bucket.remove(name);
  const found = other ? `an object of ${other.size} bytes, which was removed` : 'no object';
  throw new Error(`${bucket.url}${name} is ${found}; expected ${blocks.length} bytes`);
};
