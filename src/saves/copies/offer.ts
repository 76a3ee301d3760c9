import { pathToFileURL } from 'node:url';
import { type Candidate, type CatalogEntry, StreamError } from '../../../pipelines/model/index.ts';
import { signatureOf } from '../../lib/file-signature.ts';
import { messageOf } from '../../lib/thrown.ts';
import { SMALL } from './checks.ts';
import type { Copy } from './copy.ts';
import { findCopy } from './names.ts';
import type { StoreState } from './state.ts';
import { fieldsWithoutTransfer } from './verification.ts';

/** The copy of an entry as a candidate, if it is known to be right. */
export const offer = async (store: StoreState, entry: CatalogEntry): Promise<Candidate | undefined> => {
  const { folder, checks, eviction } = store;
  try {
    const copy = await findCopy(folder, entry);
    const known = copy && (checks.known(copy) ?? (await checks.recall(copy)) ?? (await checked(store, copy)));
    if (!known) return undefined;
    eviction.used(copy);
    const url = pathToFileURL(copy.path).href;
    const headers = known.headers ?? fieldsWithoutTransfer(copy);
    const proof = store.checked ? { blocks: known.blocks } : { unproven: true };
    return {
      entry,
      source: { kind: 'saved', id: '' },
      url,
      root: folder,
      headers,
      version: signatureOf(copy.stats),
      ...proof,
    };
  } catch (cause) {
    throw new StreamError('UNREADABLE', 'disk', `the copy of ${entry.path}: ${messageOf(cause)}`, { cause });
  }
};

/** Verifies a copy; a large one in the background, without a result. */
const checked = async ({ checks }: StoreState, copy: Copy) => {
  const checking = checks.check(copy);
  return copy.stats.size > SMALL ? undefined : checking;
};
