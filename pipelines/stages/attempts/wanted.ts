import { type ByteRange, type CatalogEntry, etagOf, holds, type StreamRequest } from '../../model/index.ts';

/** The bytes that a request wants: a range while `ifRange` holds, or the whole. */
export interface Wanted {
  readonly range?: ByteRange;
  readonly ifRange?: string;
}

/**
 * The bytes of an entry that a request wants. If the entity tag comes from the catalog's checksum,
 * `If-Range` is decided here: sources do not know that tag.
 */
export const wanted = ({ method, ranges, conditions }: StreamRequest, { checksum, replaced }: CatalogEntry): Wanted => {
  const range = method === 'GET' ? ranges?.[0] : undefined;
  const ifRange = conditions?.ifRange;
  if (!range) return {};
  if (ifRange === undefined) return { range };
  // A weak entity tag proves nothing about bytes.
  if (ifRange.startsWith('W/')) return {};
  // The replaced content may have had the same date, and the current content is sent without one.
  if (replaced && !ifRange.startsWith('"')) return {};
  if (checksum && ifRange.startsWith('"')) return holds(ifRange, { etag: etagOf(checksum) }) ? { range } : {};
  return { range, ifRange };
};
