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
export const wanted = (
  { method, ranges, conditions }: StreamRequest,
  { checksum, replaced, size }: CatalogEntry,
): Wanted => {
  const range = method === 'GET' ? within(ranges?.[0], size) : undefined;
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

/** A range whose end is not beyond the content: some sources refuse others, or ignore them. */
const within = (range: ByteRange | undefined, size: number | undefined): ByteRange | undefined =>
  range?.last !== undefined && size && range.last >= size ? { first: range.first, last: size - 1 } : range;
